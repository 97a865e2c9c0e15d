use std::io;
use std::time::Duration;

use async_trait::async_trait;
use keystead_config::SecretSource;
use keystead_config::kes::{ClientTlsConfig, EngineVersion, VaultConfig};
use keystead_observe::{ErrorEvent, Level, Telemetry};
use keystead_tls::{ClientConfig, ClientCredential, ClientSettings, Pem, Trust};
use keystead_vault::{Client, Creation, Error as VaultError, Kv, Transit};
use zeroize::Zeroizing;

use crate::{Error, KeyStore};

/// Keys as entries of a K/V engine of HashiCorp Vault or OpenBao, wrapped by a
/// transit engine if there is one (key stores, section 4).
///
/// An entry has one field, whose name is that of the key. With K/V version 2
/// creating is atomic over any number of servers; version 1 has no such operation,
/// so there it is only made unlikely that two servers create the same key.
pub struct VaultStore {
    client: Client,
    kv: Kv,
    transit: Option<Transit>,
    description: String,
}

// === impl VaultStore ===

impl VaultStore {
    /// Logs in and looks whether the engine has the configured version.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`], [`Error::Denied`] and [`Error::Failed`].
    pub async fn open(config: &VaultConfig, telemetry: Telemetry) -> Result<Self, Error> {
        let tls = client_tls(&config.tls).map_err(Error::failed)?;
        let store = Self {
            client: Client::connect(config, tls, telemetry.clone()).await?,
            kv: Kv::new(config),
            transit: config.transit.as_ref().map(Transit::new),
            description: format!("Hashicorp Vault: {}", config.endpoint),
        };
        store.kv.check_version(&store.client).await?;
        if config.version == EngineVersion::V1 {
            let message = "K/V version 1 cannot keep two servers from creating the same key at \
                           once; use an engine of version 2 if several servers create keys";
            let event = ErrorEvent::new(Level::WARN, message);
            telemetry
                .log
                .record(event.attribute("engine", &config.engine));
        }
        Ok(store)
    }

    /// The text that is stored for a value.
    async fn wrap(&self, value: &[u8]) -> Result<Zeroizing<String>, VaultError> {
        match &self.transit {
            Some(transit) => transit
                .encrypt(&self.client, value)
                .await
                .map(Zeroizing::new),
            None => match std::str::from_utf8(value) {
                Ok(text) => Ok(Zeroizing::new(text.to_owned())),
                Err(_) => Err(VaultError::NotText),
            },
        }
    }

    /// The value that a text was stored for. Values from before transit was
    /// configured are not wrapped.
    async fn unwrap(&self, text: Zeroizing<String>) -> Result<Zeroizing<Vec<u8>>, Error> {
        if !Transit::is_ciphertext(&text) {
            return Ok(Zeroizing::new(text.as_bytes().to_vec()));
        }
        match &self.transit {
            Some(transit) => Ok(transit.decrypt(&self.client, &text).await?),
            None => Err(Error::failed(
                "key is encrypted with vault transit key: configure 'transit'",
            )),
        }
    }
}

fn client_tls(config: &ClientTlsConfig) -> Result<ClientConfig, keystead_tls::Error> {
    let no_password = || Err(io::ErrorKind::Unsupported.into());
    let credential = config.identity.as_ref().map(|identity| {
        ClientCredential::from_pem(&pem(&identity.cert), &pem(&identity.key), &no_password)
    });
    keystead_tls::client(ClientSettings {
        credential: credential.transpose()?,
        trust: match config.ca.clone() {
            None => Trust::System,
            Some(SecretSource::File(path)) => Trust::Only(path),
            Some(SecretSource::Value(text)) => Trust::OnlyText(text),
        },
    })
}

fn pem(source: &SecretSource) -> Pem {
    match source.clone() {
        SecretSource::File(path) => Pem::File(path),
        SecretSource::Value(text) => Pem::Text(text),
    }
}

#[async_trait]
impl KeyStore for VaultStore {
    fn description(&self) -> String {
        self.description.clone()
    }

    async fn status(&self) -> Result<Duration, Error> {
        Ok(self.client.status().await?)
    }

    async fn create(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        let text = || self.wrap(value);
        match self.kv.create(&self.client, name, text).await? {
            Creation::Created => Ok(()),
            Creation::Exists => Err(Error::KeyExists),
        }
    }

    async fn get(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        match self.kv.read(&self.client, name).await? {
            Some(text) => self.unwrap(text).await,
            None => Err(Error::KeyNotFound),
        }
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        Ok(self.kv.delete(&self.client, name).await?)
    }

    async fn list(&self, prefix: &str, start: &str, limit: usize) -> Result<Vec<String>, Error> {
        let mut names = self.kv.list(&self.client).await?;
        names.retain(|name| name.starts_with(prefix) && name.as_str() >= start);
        names.sort_unstable();
        names.truncate(limit);
        Ok(names)
    }

    async fn close(&self) {
        self.client.close().await;
    }
}

impl From<VaultError> for Error {
    fn from(error: VaultError) -> Self {
        if error.is_unreachable() {
            Self::unreachable(error)
        } else if error.is_denial() {
            Self::denied(error)
        } else {
            Self::failed(error)
        }
    }
}

#[cfg(test)]
mod tests;
