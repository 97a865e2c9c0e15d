use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use keystead_config::SecretSource;
use keystead_config::kes::{VaultAuth, VaultLogin};
use keystead_crypto::Secret;
use keystead_rest::StatusCode;
use serde::Serialize;
use serde::de::IgnoredAny;
use tokio::task;
use zeroize::Zeroizing;

use crate::Error;
use crate::api::{Api, Call, path};
use crate::keeper::{Authority, Lease};
use crate::lifecycle::Grant;
use crate::reply::Reply;

/// Logs in with the configured method, and renews what it got.
pub(crate) struct Login {
    pub(crate) api: Arc<Api>,
    pub(crate) auth: VaultAuth,
    /// That of the store.
    pub(crate) namespace: Option<String>,
}

#[derive(Serialize)]
struct AppRole<'l> {
    role_id: &'l str,
    secret_id: &'l str,
}

#[derive(Serialize)]
struct Kubernetes<'l> {
    role: &'l str,
    jwt: &'l str,
}

// === impl Login ===

impl Authority for Login {
    /// Key stores, section 4.3.
    async fn log_in(&self) -> Result<Lease, Error> {
        let (login, body) = match &self.auth {
            VaultAuth::AppRole { login, id, secret } => {
                let (id, secret) = (read(id).await?, read(secret).await?);
                let (role_id, secret_id) = (id.expose(), secret.expose());
                (login, encode(&AppRole { role_id, secret_id })?)
            }
            VaultAuth::Kubernetes { login, role, jwt } => {
                let jwt = read(jwt).await?;
                let jwt = jwt.expose().trim_end();
                (login, encode(&Kubernetes { role, jwt })?)
            }
        };
        let call = Call {
            method: Method::PUT,
            path: &path(&["auth", &login.engine, "login"]),
            namespace: login.namespace.as_deref(),
            token: None,
            body: Some(&body),
            patient: false,
        };
        lease(&self.api.send(&call).await?.success()?)
    }

    async fn renew(&self, token: &Secret) -> Result<Lease, Error> {
        let call = Call {
            method: Method::PUT,
            path: "/auth/token/renew-self",
            body: Some(br#"{"increment":0}"#),
            ..self.own_token(token)
        };
        lease(&self.api.send(&call).await?.success()?)
    }

    async fn accepts(&self, token: &Secret) -> Result<bool, Error> {
        let reply = self.api.send(&self.own_token(token)).await?;
        if reply.status == StatusCode::FORBIDDEN {
            return Ok(false);
        }
        reply.success().map(|_| true)
    }
}

impl Login {
    /// The longest pause between failed logins.
    pub(crate) fn retry(&self) -> Duration {
        let (VaultAuth::AppRole { login, .. } | VaultAuth::Kubernetes { login, .. }) = &self.auth;
        let VaultLogin { retry, .. } = login;
        *retry
    }

    /// The look-up of a token by itself.
    fn own_token<'c>(&'c self, token: &'c Secret) -> Call<'c> {
        Call {
            method: Method::GET,
            path: "/auth/token/lookup-self",
            namespace: self.namespace.as_deref(),
            token: Some(token),
            body: None,
            patient: false,
        }
    }
}

async fn read(source: &SecretSource) -> Result<Secret, Error> {
    let path = match source {
        SecretSource::Value(secret) => return Ok(secret.clone()),
        SecretSource::File(path) => path.clone(),
    };
    let file = source.clone();
    // A network file system may keep it waiting.
    task::spawn_blocking(move || file.read())
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
        .map_err(|source| Error::Credential { path, source })
}

pub(crate) fn encode(body: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, Error> {
    serde_json::to_vec(body)
        .map(Zeroizing::new)
        .map_err(|error| Error::Unexpected(error.to_string()))
}

fn lease(reply: &Reply) -> Result<Lease, Error> {
    let auth = reply.envelope::<IgnoredAny>()?.auth;
    let auth = auth.ok_or(Error::NoToken)?;
    if auth.client_token.is_empty() {
        return Err(Error::NoToken);
    }
    let ttl = Duration::from_secs(auth.lease_duration);
    Ok(Lease {
        token: Secret::new(auth.client_token),
        grant: Grant {
            ttl: (!ttl.is_zero()).then_some(ttl),
            renewable: auth.renewable,
        },
    })
}
