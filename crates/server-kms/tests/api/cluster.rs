//! Commands of the cluster on its only node (MinIO KMS protocol, section 4).

use keystead_wire_kms::message::{
    AddClusterNodeRequest, AddHsmRequest, ClusterStatusRequest, ClusterStatusResponse,
    EditClusterRequest, RemoveClusterNodeRequest, RemoveHsmRequest,
};
use keystead_wire_kms::{ApiError, Command};

use crate::support::World;
use crate::support::world::HOST;

const SOFT: &str = "hsm:minio:soft";

#[tokio::test]
async fn the_status_is_that_of_a_leader() {
    let world = World::new().await;
    world.enclave("e").await;
    let mut root = world.root().await;
    let answer = root
        .ask("", Command::ClusterStatus, &ClusterStatusRequest {})
        .await;
    let status: ClusterStatusResponse = answer.message(Command::ClusterStatus);
    assert!(status.nodes_down.is_empty());
    assert_eq!(status.nodes_up.keys().collect::<Vec<_>>(), [&0]);
    let node = &status.nodes_up[&0];
    assert_eq!(node.version, "2026-11-21T16-00-00Z");
    assert_eq!(
        (&*node.api_version, &*node.host, &*node.role),
        ("v1", HOST, "Leader")
    );
    assert_eq!((node.id, node.leader_id), (0, 0));
    assert_eq!(node.nodes, [(0, HOST.to_owned())].into());
    assert_eq!(node.commit, world.store.state().commit());
    assert_eq!(
        (&node.hsms, &node.configured_hsms),
        (&vec![SOFT.to_owned()], &vec![SOFT.to_owned()])
    );
    assert_eq!(node.state_digest.len(), 64);
    assert!(node.cpus > 0 && node.heap_mem_in_use > 0 && node.uptime.is_some());
    let heartbeat = node.heartbeat_interval.unwrap();
    assert!(heartbeat.seconds > 0 || heartbeat.nanos > 0);
}

#[tokio::test]
async fn nodes_are_there_or_not() {
    let world = World::new().await;
    let mut root = world.root().await;
    let add = |host: &str| AddClusterNodeRequest { host: host.into() };
    for own in [HOST, "kms0", "https://KMS0:7373"] {
        let answer = root.ask("", Command::AddNode, &add(own)).await;
        answer.is(&ApiError::NODE_EXISTS);
    }
    let answer = root.ask("", Command::AddNode, &add("kms1")).await;
    assert_eq!(answer.status, 501);
    assert!(answer.error().message.contains("one node"));
    let answer = root.ask("", Command::AddNode, &add("")).await;
    answer.is_error(400, "no host");

    let remove = |host: &str| RemoveClusterNodeRequest {
        host: host.into(),
        delete_cluster_on_host: false,
    };
    let answer = root.ask("", Command::RemoveNode, &remove("kms1")).await;
    answer.is(&ApiError::NODE_NOT_FOUND);
    let answer = root.ask("", Command::RemoveNode, &remove("kms0")).await;
    answer.is_error(409, "cannot remove the last node");

    let edit = |host: &str, ids: &[u32]| EditClusterRequest {
        host: host.into(),
        remove_ids: ids.to_vec(),
    };
    for (request, error) in [
        (edit(HOST, &[1]), ApiError::NODE_NOT_FOUND),
        (edit("", &[0, 1]), ApiError::NODE_NOT_FOUND),
        (edit("kms1", &[]), ApiError::NODE_NOT_FOUND),
    ] {
        root.ask("", Command::EditCluster, &request)
            .await
            .is(&error);
    }
    let answer = root.ask("", Command::EditCluster, &edit("", &[0])).await;
    answer.is_error(409, "cannot remove the last node");
    root.change("", Command::EditCluster, &edit(HOST, &[]))
        .await;
}

#[tokio::test]
async fn hsms_are_there_or_not() {
    let world = World::new().await;
    let mut root = world.root().await;
    let add = |name: &str, overwrite| AddHsmRequest {
        name: name.into(),
        overwrite,
    };
    let remove = |name: &str, force| RemoveHsmRequest {
        name: name.into(),
        force,
    };
    let answer = root.ask("", Command::AddHsm, &add("hsm:none", false)).await;
    answer.is(&ApiError::HSM_NOT_FOUND);
    let answer = root
        .ask("", Command::RemoveHsm, &remove("hsm:none", false))
        .await;
    answer.is(&ApiError::HSM_NOT_FOUND);
    let answer = root.ask("", Command::AddHsm, &add(SOFT, false)).await;
    answer.is(&ApiError::HSM_EXISTS);
    root.change("", Command::AddHsm, &add(SOFT, true)).await;
    let answer = root.ask("", Command::RemoveHsm, &remove(SOFT, false)).await;
    answer.is(&ApiError::LAST_HSM);
    root.change("", Command::RemoveHsm, &remove(SOFT, true))
        .await;
    assert!(world.store.status().sealed_hsms.is_empty());
    root.change("", Command::AddHsm, &add(SOFT, false)).await;
    assert_eq!(world.store.status().sealed_hsms, [SOFT]);
}
