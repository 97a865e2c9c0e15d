use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystead_config::kes::FortanixConfig;
use keystead_crypto::SystemRandom;
use keystead_observe::Telemetry;
use keystead_rest::{Limits, Method, StatusCode, Transport};
use keystead_tls::{ClientSettings, Trust};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use zeroize::Zeroizing;

use self::api::{Api, Request};
use crate::remote::{RemoteError, decode, encode, page, segment};
use crate::{Error, KeyStore};

mod api;

#[cfg(test)]
mod tests;

/// The most names in one page of a list.
const PAGE: usize = 100;

/// Everything that does not mean itself in a URL (RFC 3986).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Keys as opaque security objects of Fortanix SDKMS, also known as Data Security
/// Manager (key stores, section 10).
pub struct FortanixStore {
    api: Api,
    group: Option<String>,
    description: String,
}

#[derive(Serialize)]
struct NewObject<'a> {
    obj_type: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<&'a str>,
    key_ops: [&'static str; 2],
    value: &'a str,
    enabled: bool,
}

#[derive(Serialize)]
struct NameOnly<'a> {
    name: &'a str,
}

#[derive(Deserialize)]
struct Object {
    kid: String,
    value: String,
    enabled: bool,
}

#[derive(Deserialize)]
struct Listed {
    name: Option<String>,
}

// === impl FortanixStore ===

impl FortanixStore {
    /// Looks whether the service is well and accepts the API key.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`], [`Error::Denied`] and [`Error::Failed`].
    pub async fn open(config: &FortanixConfig, telemetry: Telemetry) -> Result<Self, Error> {
        Self::connect(config, Limits::default(), telemetry).await
    }

    async fn connect(
        config: &FortanixConfig,
        limits: Limits,
        telemetry: Telemetry,
    ) -> Result<Self, Error> {
        let api = Self::log_in(config, limits, telemetry).await?;
        Ok(Self {
            api,
            group: config.group_id.clone(),
            description: format!("Fortanix SDKMS: {}", config.endpoint),
        })
    }

    async fn log_in(
        config: &FortanixConfig,
        limits: Limits,
        telemetry: Telemetry,
    ) -> Result<Api, RemoteError> {
        let tls = keystead_tls::client(ClientSettings {
            credential: None,
            trust: config.ca.clone().map_or(Trust::System, Trust::Only),
        })?;
        let transport = Transport::new(
            &[&config.endpoint],
            tls,
            limits,
            Arc::new(SystemRandom),
            Arc::clone(&telemetry.metrics),
        )?;
        let api = Api::new(transport, limits, &config.key).await?;
        let login = api.log_in_and_out().await;
        telemetry.metrics.remote().login(login.is_ok());
        login.map(|()| api)
    }

    async fn export(&self, name: &str) -> Result<Option<Object>, RemoteError> {
        let name = segment(name)?;
        let body = encode(&NameOnly { name })?;
        let request = Request {
            body: Some(&body),
            ..Request::new(Method::POST, "/crypto/v1/keys/export")
        };
        let reply = self.api.send(&request).await?;
        if reply.is_not_found() {
            return Ok(None);
        }
        decode(&reply.expect(StatusCode::OK)?).map(Some)
    }

    async fn names(&self) -> Result<Vec<String>, RemoteError> {
        let mut names = BTreeSet::new();
        let mut start = String::new();
        loop {
            let mut path = format!("/crypto/v1/keys?sort=name:asc&limit={PAGE}");
            if !start.is_empty() {
                path.push_str("&start=");
                path.extend(utf8_percent_encode(&start, RESERVED));
            }
            let reply = self.api.send(&Request::new(Method::GET, &path)).await?;
            let listed: Vec<Listed> = decode(&reply.expect(StatusCode::OK)?)?;
            let listed: Vec<String> = listed
                .into_iter()
                .filter_map(|listed| listed.name)
                .collect();
            let Some(last) = listed.last().cloned() else {
                return Ok(names.into_iter().collect());
            };
            // The last page of a service that begins with the name it starts after.
            if listed == [&*start] {
                return Ok(names.into_iter().collect());
            }
            let known = names.len();
            names.extend(listed);
            if names.len() == known {
                return Err(RemoteError::Other("the list does not end"));
            }
            start = last;
        }
    }
}

#[async_trait]
impl KeyStore for FortanixStore {
    fn description(&self) -> String {
        self.description.clone()
    }

    async fn status(&self) -> Result<Duration, Error> {
        let start = Instant::now();
        self.api.reach().await?;
        Ok(start.elapsed())
    }

    async fn create(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        let value = Zeroizing::new(STANDARD.encode(value));
        let body = encode(&NewObject {
            obj_type: "OPAQUE",
            name: segment(name)?,
            group_id: self.group.as_deref(),
            key_ops: ["EXPORT", "APPMANAGEABLE"],
            value: &value,
            enabled: true,
        })?;
        let request = Request {
            body: Some(&body),
            secret: &value,
            ..Request::new(Method::PUT, "/crypto/v1/keys")
        };
        let reply = self.api.send(&request).await?;
        if reply.is_conflict() {
            return Err(Error::KeyExists);
        }
        reply.expect(StatusCode::CREATED)?;
        Ok(())
    }

    async fn get(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let object = self.export(name).await?.ok_or(Error::KeyNotFound)?;
        let value = Zeroizing::new(object.value);
        if !object.enabled {
            let message = "the security object is disabled: enable it";
            return Err(RemoteError::Other(message).into());
        }
        match STANDARD.decode(value.as_bytes()) {
            Ok(value) => Ok(Zeroizing::new(value)),
            Err(_) => Err(RemoteError::Other("the value is not in base64").into()),
        }
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        let object = self.export(name).await?.ok_or(Error::KeyNotFound)?;
        drop(Zeroizing::new(object.value));
        let kid = utf8_percent_encode(&object.kid, RESERVED);
        let path = format!("/crypto/v1/keys/{kid}");
        let reply = self.api.send(&Request::new(Method::DELETE, &path)).await?;
        if reply.is_not_found() {
            return Err(Error::KeyNotFound);
        }
        reply.expect(StatusCode::NO_CONTENT)?;
        Ok(())
    }

    async fn list(&self, prefix: &str, start: &str, limit: usize) -> Result<Vec<String>, Error> {
        Ok(page(self.names().await?, prefix, start, limit))
    }

    /// There is nothing in the background.
    async fn close(&self) {}
}
