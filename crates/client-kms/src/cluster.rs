use keystead_wire_kms::Command;
use keystead_wire_kms::message::{
    AddClusterNodeRequest, AddHsmRequest, ClusterStatusRequest, ClusterStatusResponse,
    EditClusterRequest, RemoveClusterNodeRequest, RemoveHsmRequest,
};

use crate::client::CLUSTER;
use crate::endpoint::Endpoint;
use crate::{Client, Error};

/// The cluster.
impl Client {
    /// The nodes as one of them sees them.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn cluster_status(&self) -> Result<ClusterStatusResponse, Error> {
        let request = ClusterStatusRequest {};
        self.read_one(CLUSTER, Command::ClusterStatus, request)
            .await
    }

    /// Makes the fresh server at `host` a node of the cluster, and one of this client's
    /// servers.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn add_node(&self, host: &str) -> Result<(), Error> {
        let request = AddClusterNodeRequest {
            host: Endpoint::parse(host)?.host().to_owned(),
        };
        self.write(CLUSTER, Command::AddNode, &request).await?;
        self.add_host(host)
    }

    /// Removes a node. With `delete_cluster` it forgets the cluster and comes back as a
    /// cluster of its own; without, it does not start again.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn remove_node(&self, host: &str, delete_cluster: bool) -> Result<(), Error> {
        let request = RemoveClusterNodeRequest {
            host: Endpoint::parse(host)?.host().to_owned(),
            delete_cluster_on_host: delete_cluster,
        };
        self.write(CLUSTER, Command::RemoveNode, &request).await
    }

    /// Makes the node at `host` forget other nodes, without asking them.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn edit_cluster(&self, host: &str, remove_ids: Vec<u32>) -> Result<(), Error> {
        let server = Endpoint::parse(host)?;
        let request = EditClusterRequest {
            host: server.host().to_owned(),
            remove_ids,
        };
        self.write_at(&server, CLUSTER, Command::EditCluster, &request)
            .await
    }

    /// Seals the root key with an HSM that is configured; with `overwrite` anew.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn add_hsm(&self, name: &str, overwrite: bool) -> Result<(), Error> {
        let request = AddHsmRequest {
            name: name.to_owned(),
            overwrite,
        };
        self.write(CLUSTER, Command::AddHsm, &request).await
    }

    /// Deletes what an HSM sealed; with `force` also if nothing else could open the
    /// state again.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn remove_hsm(&self, name: &str, force: bool) -> Result<(), Error> {
        let request = RemoveHsmRequest {
            name: name.to_owned(),
            force,
        };
        self.write(CLUSTER, Command::RemoveHsm, &request).await
    }
}
