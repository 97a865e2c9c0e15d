use keystead_wire_kms::Command;
use keystead_wire_kms::message::{
    CreateIdentityRequest, DeleteIdentityRequest, IdentityRequest, IdentityResponse,
    ListIdentitiesResponse, ListRequest,
};

use crate::client::CLUSTER;
use crate::{Client, Enclave, Error};

/// Identities.
impl Enclave {
    /// Registers an identity, or replaces all that is known of it.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn create_identity(&self, request: &CreateIdentityRequest) -> Result<(), Error> {
        self.client
            .write(&self.path, Command::CreateIdentity, request)
            .await
    }

    /// Deletes an identity with its service accounts.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn delete_identity(&self, identity: &str) -> Result<(), Error> {
        let identity = identity.to_owned();
        let request = DeleteIdentityRequest { identity };
        self.client
            .write(&self.path, Command::DeleteIdentity, &request)
            .await
    }

    /// Tells about identities, in the order of `identities`. For its own one a caller
    /// needs no right.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`]; one that does not exist fails them all.
    pub async fn get_identities(
        &self,
        identities: &[impl AsRef<str>],
    ) -> Result<Vec<IdentityResponse>, Error> {
        let requests = identities.iter().map(|identity| IdentityRequest {
            identity: identity.as_ref().to_owned(),
        });
        let requests: Vec<_> = requests.collect();
        self.client
            .read(&self.path, Command::IdentityStatus, &requests)
            .await
    }

    /// One page of identities, sorted by their text.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn list_identities(
        &self,
        page: ListRequest,
    ) -> Result<ListIdentitiesResponse, Error> {
        self.client
            .read_one(&self.path, Command::ListIdentities, page)
            .await
    }
}

/// The root identity.
impl Client {
    /// Tells about the root identity, to itself. Other servers than ours refuse it.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn get_root_identity(&self, identity: &str) -> Result<IdentityResponse, Error> {
        let identity = identity.to_owned();
        let request = IdentityRequest { identity };
        self.read_one(CLUSTER, Command::IdentityStatus, request)
            .await
    }
}
