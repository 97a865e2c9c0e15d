use keystead_wire_kms::message::{
    CreateEnclaveRequest, DeleteEnclaveRequest, EnclaveStatusRequest, EnclaveStatusResponse,
    ListEnclavesResponse, ListRequest,
};
use keystead_wire_kms::{Command, Name};

use crate::client::CLUSTER;
use crate::{Client, Error};

/// The keys, policies and identities of one enclave.
#[derive(Clone)]
pub struct Enclave {
    pub(crate) client: Client,
    pub(crate) path: String,
}

// === impl Enclave ===

impl Enclave {
    pub(crate) fn new(client: Client, name: &str) -> Result<Self, Error> {
        // A URL is changed by names such as `..`.
        Name::Enclave
            .check(name)
            .map_err(|_| Error::EnclaveName(name.to_owned()))?;
        Ok(Self {
            client,
            path: format!("{CLUSTER}/{name}"),
        })
    }
}

/// Enclaves.
impl Client {
    /// Makes an enclave.
    ///
    /// # Errors
    ///
    /// Like all methods: [`Error::Api`] if the server refuses, [`Error::Connection`] if
    /// no server answers, [`Error::Response`] if a server answers something else than
    /// the protocol says. Like all methods that change something:
    /// [`Error::UnknownOutcome`].
    pub async fn create_enclave(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        let request = CreateEnclaveRequest { name };
        self.write(CLUSTER, Command::CreateEnclave, &request).await
    }

    /// Deletes an enclave with all that is in it.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn delete_enclave(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        let request = DeleteEnclaveRequest { name };
        self.write(CLUSTER, Command::DeleteEnclave, &request).await
    }

    /// Tells about enclaves, in the order of `names`.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`]; one that does not exist fails them all.
    pub async fn enclave_status(
        &self,
        names: &[impl AsRef<str>],
    ) -> Result<Vec<EnclaveStatusResponse>, Error> {
        let requests = names.iter().map(|name| EnclaveStatusRequest {
            name: name.as_ref().to_owned(),
        });
        let requests: Vec<_> = requests.collect();
        self.read(CLUSTER, Command::EnclaveStatus, &requests).await
    }

    /// One page of enclaves, sorted by name.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn list_enclaves(&self, page: ListRequest) -> Result<ListEnclavesResponse, Error> {
        self.read_one(CLUSTER, Command::ListEnclaves, page).await
    }
}
