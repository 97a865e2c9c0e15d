use std::time::Duration;

use async_trait::async_trait;
use keystead_config::kes::KeyControlConfig;
use keystead_keycontrol::{Client, Error as KeyControlError, Limits};
use keystead_observe::Telemetry;
use keystead_wire_kes::Name;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::{Error, KeyStore};

/// Keys as secrets in a box of an Entrust KeyControl PASM vault (key stores,
/// section 5).
pub struct KeyControlStore {
    client: Client,
    description: String,
}

impl KeyControlStore {
    /// Logs in and looks whether the box is there.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`], [`Error::Denied`] and [`Error::Failed`].
    pub async fn open(config: &KeyControlConfig, telemetry: Telemetry) -> Result<Self, Error> {
        Ok(Self {
            client: Client::connect(config, Limits::default(), telemetry).await?,
            description: format!("Entrust KeyControl: {}", config.endpoints.join(", ")),
        })
    }
}

#[async_trait]
impl KeyStore for KeyControlStore {
    fn description(&self) -> String {
        self.description.clone()
    }

    async fn status(&self) -> Result<Duration, Error> {
        let start = Instant::now();
        self.client.status().await?;
        Ok(start.elapsed())
    }

    async fn create(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        Ok(self.client.create(name, value).await?)
    }

    async fn get(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(self.client.checkout(name).await?)
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        Ok(self.client.delete(name).await?)
    }

    async fn list(&self, prefix: &str, start: &str, limit: usize) -> Result<Vec<String>, Error> {
        let names = self.client.list(prefix).await?;
        Ok(names
            .into_iter()
            .skip_while(|name| name.as_str() < start)
            .filter(|name| Name::is_valid(name))
            .take(limit)
            .collect())
    }

    async fn close(&self) {
        self.client.close();
    }
}

impl From<KeyControlError> for Error {
    fn from(error: KeyControlError) -> Self {
        match error {
            KeyControlError::Exists => Self::KeyExists,
            KeyControlError::NotFound => Self::KeyNotFound,
            error if error.is_unreachable() => Self::unreachable(error),
            error if error.is_denial() => Self::denied(error),
            error => Self::failed(error),
        }
    }
}

#[cfg(test)]
mod tests;
