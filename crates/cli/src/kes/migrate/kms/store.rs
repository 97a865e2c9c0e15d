use std::time::Duration;

use async_trait::async_trait;
use keystead_client_kms::{Enclave, Error as ClientError};
use keystead_crypto::{Cipher, StoredKey};
use keystead_keystore::{Error, KeyStore};
use keystead_wire_kms::ApiError;
use keystead_wire_kms::message::{DeleteKeyRequest, ImportKeyRequest, ListRequest};
use tokio::time::Instant;
use zeroize::Zeroizing;

/// An enclave as far as it is like a key store: values come in, and do not come out.
pub(super) struct KmsStore {
    pub(super) enclave: Enclave,
}

/// What an error of a server means for a migration.
pub(super) fn failure(error: ClientError) -> Error {
    let api = error.api();
    if api == Some(&ApiError::KEY_EXISTS) {
        Error::KeyExists
    } else if api == Some(&ApiError::KEY_NOT_FOUND) {
        Error::KeyNotFound
    } else if api == Some(&ApiError::NOT_ALLOWED) {
        Error::denied(error)
    } else if api.is_none_or(|api| api.status.as_u16() == 503) {
        Error::unreachable(error)
    } else {
        Error::failed(error)
    }
}

// === impl KmsStore ===

impl KmsStore {
    pub(super) fn new(enclave: Enclave) -> Self {
        Self { enclave }
    }
}

#[async_trait]
impl KeyStore for KmsStore {
    fn description(&self) -> String {
        "MinIO KMS".to_owned()
    }

    async fn status(&self) -> Result<Duration, Error> {
        let start = Instant::now();
        let page = ListRequest {
            limit: 1,
            ..ListRequest::default()
        };
        self.enclave.list_keys(page).await.map_err(failure)?;
        Ok(start.elapsed())
    }

    /// Imports the key in a value. The type is that of the key; keys of old releases have
    /// none and may have been used with both, which servers try for imported keys.
    async fn create(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        let key = StoredKey::decode(value).map_err(Error::failed)?;
        let kind = match key.cipher() {
            Cipher::Aes256 => "AES256",
            Cipher::ChaCha20 => "ChaCha20",
        };
        let request = ImportKeyRequest {
            name: name.to_owned(),
            r#type: kind.to_owned(),
            key: key.secret_key().expose().to_vec(),
        };
        self.enclave.import_key(&request).await.map_err(failure)
    }

    async fn get(&self, _name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        Err(Error::failed("MinIO KMS gives no key away"))
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        let request = DeleteKeyRequest {
            name: name.to_owned(),
            version: 0,
            all_versions: true,
        };
        self.enclave.delete_key(&request).await.map_err(failure)
    }

    async fn list(&self, prefix: &str, start: &str, limit: usize) -> Result<Vec<String>, Error> {
        let mut names: Vec<String> = Vec::new();
        let mut start = start.to_owned();
        // A server may send less than was asked for before the end.
        while let Some(left) = limit.checked_sub(names.len()).filter(|left| *left > 0) {
            let page = ListRequest {
                prefix: prefix.to_owned(),
                continue_at: start,
                limit: u32::try_from(left).unwrap_or(u32::MAX),
            };
            let page = self.enclave.list_keys(page).await.map_err(failure)?;
            names.extend(page.keys.into_iter().map(|key| key.name));
            if page.continue_at.is_empty() {
                break;
            }
            start = page.continue_at;
        }
        Ok(names)
    }

    async fn close(&self) {}
}
