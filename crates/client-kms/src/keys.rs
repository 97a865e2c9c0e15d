use keystead_wire_kms::Command;
use keystead_wire_kms::message::{
    CreateKeyRequest, DecryptRequest, DecryptResponse, DeleteKeyRequest, EncryptRequest,
    EncryptResponse, GenerateKeyRequest, GenerateKeyResponse, ImportKeyRequest, KeyStatusRequest,
    KeyStatusResponse, ListKeysResponse, ListRequest, MacRequest, MacResponse,
};

use crate::{Enclave, Error};

/// Keys.
impl Enclave {
    /// Makes a key, or adds a version to one.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`](crate::Client::create_enclave).
    pub async fn create_key(&self, request: &CreateKeyRequest) -> Result<(), Error> {
        self.client
            .write(&self.path, Command::CreateKey, request)
            .await
    }

    /// Stores 32 bytes as a key.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`](crate::Client::create_enclave).
    pub async fn import_key(&self, request: &ImportKeyRequest) -> Result<(), Error> {
        self.client
            .write(&self.path, Command::ImportKey, request)
            .await
    }

    /// Deletes a version of a key, or all.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`](crate::Client::create_enclave).
    pub async fn delete_key(&self, request: &DeleteKeyRequest) -> Result<(), Error> {
        self.client
            .write(&self.path, Command::DeleteKey, request)
            .await
    }

    /// Tells about versions of keys, in the order of `requests`.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`](crate::Client::create_enclave); one that does not
    /// exist fails them all.
    pub async fn key_status(
        &self,
        requests: &[KeyStatusRequest],
    ) -> Result<Vec<KeyStatusResponse>, Error> {
        self.client
            .read(&self.path, Command::KeyStatus, requests)
            .await
    }

    /// One page of keys, sorted by name, each with its latest version.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`](crate::Client::create_enclave).
    pub async fn list_keys(&self, page: ListRequest) -> Result<ListKeysResponse, Error> {
        self.client
            .read_one(&self.path, Command::ListKeys, page)
            .await
    }

    /// One page of the versions of the key whose name is the prefix of `page`. Other
    /// servers than ours may not know this command.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`](crate::Client::create_enclave).
    pub async fn list_key_versions(&self, page: ListRequest) -> Result<ListKeysResponse, Error> {
        self.client
            .read_one(&self.path, Command::ListKeyVersions, page)
            .await
    }

    /// Encrypts messages.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`](crate::Client::create_enclave); one failure fails
    /// them all.
    pub async fn encrypt(
        &self,
        requests: &[EncryptRequest],
    ) -> Result<Vec<EncryptResponse>, Error> {
        self.client
            .read(&self.path, Command::Encrypt, requests)
            .await
    }

    /// Decrypts messages.
    ///
    /// # Errors
    ///
    /// As [`Enclave::encrypt`].
    pub async fn decrypt(
        &self,
        requests: &[DecryptRequest],
    ) -> Result<Vec<DecryptResponse>, Error> {
        self.client
            .read(&self.path, Command::Decrypt, requests)
            .await
    }

    /// Makes data keys, plain and encrypted.
    ///
    /// # Errors
    ///
    /// As [`Enclave::encrypt`].
    pub async fn generate_keys(
        &self,
        requests: &[GenerateKeyRequest],
    ) -> Result<Vec<GenerateKeyResponse>, Error> {
        self.client
            .read(&self.path, Command::GenerateKey, requests)
            .await
    }

    /// Computes message authentication codes.
    ///
    /// # Errors
    ///
    /// As [`Enclave::encrypt`].
    pub async fn mac(&self, requests: &[MacRequest]) -> Result<Vec<MacResponse>, Error> {
        self.client.read(&self.path, Command::Mac, requests).await
    }
}
