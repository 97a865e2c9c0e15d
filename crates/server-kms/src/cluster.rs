//! Status and membership (MinIO KMS protocol, section 4).

use std::time::Duration;

use http::StatusCode;
use keystead_crypto::hex;
use keystead_observe::{ProcessFigures, arch_name, os_name};
use keystead_wire_kms::ApiError;
use keystead_wire_kms::message::{
    AddClusterNodeRequest, ClusterStatusResponse, EditClusterRequest, RemoveClusterNodeRequest,
    ServerStatusResponse,
};

use crate::call::Call;
use crate::version::API_VERSION;

/// The port of a host that names none.
const PORT: &str = "7373";

/// The last node cannot leave.
const LAST_NODE: &str = "cannot remove the last node";

/// What `CLUSTER:STATUS` says.
pub(crate) fn status(call: &Call<'_>) -> ClusterStatusResponse {
    let shared = call.shared;
    let status = shared.store.status();
    let figures = ProcessFigures::read();
    let processors = u32::try_from(figures.processors).unwrap_or(u32::MAX);
    let node = ServerStatusResponse {
        version: shared.build.version.clone(),
        api_version: API_VERSION.to_owned(),
        host: status.host,
        uptime: duration(shared.metrics.up_time()),
        role: status.role.to_string(),
        commit: status.commit,
        nodes: status.nodes,
        id: status.node,
        leader_id: status.leader.map_or(-1, i64::from),
        last_heartbeat: duration(status.last_heartbeat),
        heartbeat_interval: duration(status.heartbeat_interval),
        election_timeout: duration(status.election_timeout),
        os: os_name().to_owned(),
        arch: arch_name().to_owned(),
        cpus: processors,
        usable_cpus: processors,
        heap_mem_in_use: figures.heap_bytes,
        stack_mem_in_use: figures.stack_bytes,
        hsms: status.sealed_hsms,
        configured_hsms: status.configured_hsms,
        state_digest: hex(&status.digest),
    };
    ClusterStatusResponse {
        nodes_up: [(status.node, node)].into(),
        nodes_down: [].into(),
    }
}

/// Adds a node to the cluster, of which this server is the only one.
pub(crate) fn add_node(call: &Call<'_>, request: &AddClusterNodeRequest) -> Result<(), ApiError> {
    match member(call, &request.host) {
        Some(_) => Err(ApiError::NODE_EXISTS),
        None => Err(ApiError::new(
            StatusCode::NOT_IMPLEMENTED,
            "this release runs clusters of one node: it cannot add another one",
        )),
    }
}

pub(crate) fn remove_node(
    call: &Call<'_>,
    request: &RemoveClusterNodeRequest,
) -> Result<(), ApiError> {
    match member(call, &request.host) {
        Some(_) => Err(ApiError::new(StatusCode::CONFLICT, LAST_NODE)),
        None => Err(ApiError::NODE_NOT_FOUND),
    }
}

/// Takes nodes out of what this node holds for the cluster.
pub(crate) fn edit(call: &Call<'_>, request: &EditClusterRequest) -> Result<(), ApiError> {
    if !request.host.is_empty() && member(call, &request.host).is_none() {
        return Err(ApiError::NODE_NOT_FOUND);
    }
    let nodes = call.shared.store.status().nodes;
    match request.remove_ids.iter().all(|id| nodes.contains_key(id)) {
        false => Err(ApiError::NODE_NOT_FOUND),
        true if request.remove_ids.is_empty() => Ok(()),
        true => Err(ApiError::new(StatusCode::CONFLICT, LAST_NODE)),
    }
}

/// The node of a host, with or without port.
fn member(call: &Call<'_>, host: &str) -> Option<u32> {
    let wanted = with_port(host);
    let nodes = call.shared.store.status().nodes;
    let mut nodes = nodes.into_iter();
    let found = nodes.find(|(_, host)| with_port(host).eq_ignore_ascii_case(&wanted));
    found.map(|(id, _)| id)
}

fn with_port(host: &str) -> String {
    let host = host.trim();
    let host = host.strip_prefix("https://").unwrap_or(host);
    let host = host.trim_end_matches('/');
    let bare_ipv6 = host.matches(':').count() > 1 && !host.starts_with('[');
    let has_port = !bare_ipv6
        && host
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    match (has_port, bare_ipv6) {
        (true, _) => host.to_owned(),
        (false, true) => format!("[{host}]:{PORT}"),
        (false, false) => format!("{host}:{PORT}"),
    }
}

fn duration(duration: Duration) -> Option<prost_types::Duration> {
    duration.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::with_port;

    #[test]
    fn a_host_without_port_has_the_usual_one() {
        for (host, full) in [
            ("kms0", "kms0:7373"),
            ("kms0:7474", "kms0:7474"),
            (" https://kms0/ ", "kms0:7373"),
            ("10.0.0.1", "10.0.0.1:7373"),
            ("::1", "[::1]:7373"),
            ("[::1]", "[::1]:7373"),
            ("[::1]:7474", "[::1]:7474"),
        ] {
            assert_eq!(with_port(host), full, "{host}");
        }
    }
}
