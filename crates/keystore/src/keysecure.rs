use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use keystead_config::kes::KeySecureConfig;
use keystead_crypto::SystemRandom;
use keystead_observe::Telemetry;
use keystead_rest::{Keeper, Limits, Transport};
use keystead_tls::{ClientSettings, Trust};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use self::api::{Api, Request};
use self::session::Login;
use crate::remote::{RemoteError, decode, encode, page, segment};
use crate::{Error, KeyStore};

mod api;
mod session;

#[cfg(test)]
mod tests;

/// The most names in one page of a list.
const PAGE: usize = 200;

/// How often a list is begun anew because secrets were deleted while it was read.
const READINGS: usize = 3;

/// Keys as secrets of a Thales CipherTrust Manager, formerly Gemalto KeySecure (key
/// stores, section 9).
pub struct KeySecureStore {
    api: Api,
    description: String,
}

#[derive(Serialize)]
struct NewSecret<'a> {
    #[serde(rename = "dataType")]
    data_type: &'static str,
    material: &'a str,
    name: &'a str,
}

#[derive(Deserialize)]
struct Export {
    material: String,
}

#[derive(Deserialize)]
struct Listing {
    skip: usize,
    total: usize,
    #[serde(default)]
    resources: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    name: Option<String>,
}

// === impl KeySecureStore ===

impl KeySecureStore {
    /// Logs in.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`], [`Error::Denied`] and [`Error::Failed`].
    pub async fn open(config: &KeySecureConfig, telemetry: Telemetry) -> Result<Self, Error> {
        Self::connect(config, Limits::default(), telemetry).await
    }

    async fn connect(
        config: &KeySecureConfig,
        limits: Limits,
        telemetry: Telemetry,
    ) -> Result<Self, Error> {
        let api = Self::log_in(config, limits, telemetry).await?;
        Ok(Self {
            api,
            description: format!("Gemalto KeySecure: {}", config.endpoint),
        })
    }

    async fn log_in(
        config: &KeySecureConfig,
        limits: Limits,
        telemetry: Telemetry,
    ) -> Result<Api, RemoteError> {
        let tls = keystead_tls::client(ClientSettings {
            credential: None,
            trust: config.ca.clone().map_or(Trust::System, Trust::Only),
        })?;
        let transport = Arc::new(Transport::new(
            &[&config.endpoint],
            tls,
            limits,
            Arc::new(SystemRandom),
            Arc::clone(&telemetry.metrics),
        )?);
        let login = Login::new(Arc::clone(&transport), config);
        let keeper = Keeper::start(login, telemetry).await?;
        Ok(Api::new(transport, keeper, limits))
    }

    async fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, RemoteError> {
        let name = segment(name)?;
        let path = format!("/api/v1/vault/secrets/{name}/export?type=name");
        let Some(answer) = self.api.find(&Request::post(&path)).await? else {
            return Ok(None);
        };
        let Export { material } = decode(&answer)?;
        Ok(Some(Zeroizing::new(material.into_bytes())))
    }

    /// All names, or `None` if secrets were deleted meanwhile, so that others moved to
    /// pages that had been read.
    async fn names(&self) -> Result<Option<Vec<String>>, RemoteError> {
        let mut names = Vec::new();
        let (mut skip, mut former) = (0, 0);
        loop {
            let path = format!("/api/v1/vault/secrets?limit={PAGE}&skip={skip}");
            let listing: Listing = decode(&self.api.call(&Request::get(&path)).await?)?;
            if listing.skip != skip {
                let message = "the list does not continue where it was asked to";
                return Err(RemoteError::Other(message));
            }
            if listing.total < former {
                return Ok(None);
            }
            former = listing.total;
            let count = listing.resources.len();
            skip += count;
            names.extend(
                listing
                    .resources
                    .into_iter()
                    .filter_map(|listed| listed.name),
            );
            if count == 0 || skip >= listing.total {
                return Ok(Some(names));
            }
        }
    }

    async fn all_names(&self) -> Result<Vec<String>, RemoteError> {
        for _ in 0..READINGS {
            if let Some(names) = self.names().await? {
                return Ok(names);
            }
        }
        let message = "secrets are deleted while they are listed: try again later";
        Err(RemoteError::Other(message))
    }
}

#[async_trait]
impl KeyStore for KeySecureStore {
    fn description(&self) -> String {
        self.description.clone()
    }

    async fn status(&self) -> Result<Duration, Error> {
        Ok(self.api.status().await?)
    }

    async fn create(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        let material = std::str::from_utf8(value)
            .map_err(|_| RemoteError::Other("the value is not UTF-8 text"))?;
        let secret = NewSecret {
            data_type: "seed",
            material,
            name: segment(name)?,
        };
        let body = encode(&secret)?;
        let request = Request {
            body: Some(&body),
            secret: material,
            ..Request::post("/api/v1/vault/secrets")
        };
        if self.api.create(&request).await? {
            Ok(())
        } else {
            Err(Error::KeyExists)
        }
    }

    async fn get(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.read(name).await?.ok_or(Error::KeyNotFound)
    }

    /// The key store says that there is no such secret if there is, but the account
    /// must not delete it.
    async fn delete(&self, name: &str) -> Result<(), Error> {
        let path = format!("/api/v1/vault/secrets/{}?type=name", segment(name)?);
        if !self.api.delete(&path).await? && self.read(name).await?.is_some() {
            let message = "the secret is still there: the account must not delete it \
                           (see the rights in the documentation)";
            return Err(Error::denied(message));
        }
        Ok(())
    }

    async fn list(&self, prefix: &str, start: &str, limit: usize) -> Result<Vec<String>, Error> {
        Ok(page(self.all_names().await?, prefix, start, limit))
    }

    async fn close(&self) {
        self.api.close();
    }
}
