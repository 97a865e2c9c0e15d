//! Google Cloud Secret Manager (key stores, section 7).
//!
//! The requests are made by Google's client and the logins by Google's library for
//! credentials; what goes over the network goes through the transport that all
//! remote key stores share ([`service`]).

mod creation;
mod error;
mod login;
mod service;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use google_cloud_gax::paginator::ItemPaginator;
use google_cloud_secretmanager_v1::client::SecretManagerService;
use keystead_config::kes::GcpSecretManagerConfig;
use keystead_crypto::SystemRandom;
use keystead_observe::Telemetry;
use keystead_rest::{Limits, Transport};
use keystead_tls::{ClientConfig, ClientSettings};
use keystead_wire_kes::Name;
use tokio::time::{Instant, timeout};
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use self::creation::Creation;
use self::error::Failure;
use self::login::Login;
use self::service::{Service, segment};
use crate::{Error, KeyStore};

/// The most secrets asked for at once.
const PAGE: i32 = 1_000;

/// What the status asks for takes no more than this; nothing of it is looked at.
const MAX_STATUS_ANSWER: usize = 64 * 1024;

/// Keys as secrets of a Google Cloud project, each as the first version of one.
///
/// A key is created in two steps, a name and its value. Each create runs to its end
/// even if nobody waits for it any more, and [`KeyStore::close`] waits for that.
pub struct GcpStore {
    project: Project,
    transport: Arc<Transport>,
    limits: Limits,
    creates: TaskTracker,
    description: String,
}

/// The project, and a client for it.
#[derive(Clone)]
struct Project {
    id: String,
    client: SecretManagerService,
    telemetry: Telemetry,
}

// === impl GcpStore ===

impl GcpStore {
    /// Reads the credentials and looks whether the API answers. Nobody logs in before
    /// the first request for a key.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`], and [`Error::Failed`] for credentials that cannot be
    /// used and an endpoint that is no host.
    pub async fn open(
        config: &GcpSecretManagerConfig,
        telemetry: Telemetry,
    ) -> Result<Self, Error> {
        let tls = keystead_tls::client(ClientSettings::default()).map_err(Error::failed)?;
        Self::connect(config, tls, Limits::default(), telemetry).await
    }

    async fn connect(
        config: &GcpSecretManagerConfig,
        tls: ClientConfig,
        limits: Limits,
        telemetry: Telemetry,
    ) -> Result<Self, Error> {
        let transport = Transport::new(
            &[url(&config.endpoint)],
            tls,
            limits,
            Arc::new(SystemRandom),
            Arc::clone(&telemetry.metrics),
        );
        let transport = Arc::new(transport.map_err(Error::failed)?);
        let login = Login::new(config, limits.attempt, telemetry.clone()).await?;
        let service = Service::new(Arc::clone(&transport), login, limits.call);
        let store = Self {
            project: Project {
                id: config.project_id.clone(),
                client: SecretManagerService::from_stub::<Service>(service),
                telemetry,
            },
            transport,
            limits,
            creates: TaskTracker::new(),
            description: format!("GCP SecretManager: Project={}", config.project_id),
        };
        store.status().await?;
        Ok(store)
    }

    async fn names(&self) -> Result<Vec<String>, Error> {
        let list = self.project.client.list_secrets();
        let mut secrets = list
            .set_parent(self.project.name())
            .set_page_size(PAGE)
            .by_item();
        let mut names = Vec::new();
        while let Some(secret) = secrets.next().await {
            let secret = secret.map_err(|error| Failure::new("secrets.list", &error))?;
            let name = secret.name.rsplit('/').next().unwrap_or_default();
            if Name::is_valid(name) {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }
}

/// The documented form of an endpoint is that of gRPC, host and port.
fn url(endpoint: &str) -> String {
    if endpoint.contains("://") {
        endpoint.to_owned()
    } else {
        format!("https://{endpoint}")
    }
}

// === impl Project ===

impl Project {
    fn name(&self) -> String {
        format!("projects/{}", segment(&self.id))
    }

    fn secret(&self, name: &str) -> String {
        format!("{}/secrets/{}", self.name(), segment(name))
    }

    /// The value of the first version of a secret, which is the only one that counts.
    async fn read(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let version = format!("{}/versions/1", self.secret(name));
        let access = self.client.access_secret_version().set_name(version);
        let response = access
            .send()
            .await
            .map_err(|error| Failure::new("versions.access", &error))?;
        let payload = response.payload.unwrap_or_default();
        Ok(Zeroizing::new(payload.data.to_vec()))
    }

    /// Deletes a secret with all its versions; if there is an `etag`, only the secret
    /// that it belongs to.
    async fn delete(&self, name: &str, etag: &str) -> Result<(), Failure> {
        let delete = self.client.delete_secret().set_name(self.secret(name));
        delete
            .set_etag(etag)
            .send()
            .await
            .map_err(|error| Failure::new("secrets.delete", &error))
    }
}

#[async_trait]
impl KeyStore for GcpStore {
    fn description(&self) -> String {
        self.description.clone()
    }

    async fn status(&self) -> Result<Duration, Error> {
        let start = Instant::now();
        let request = |client: &keystead_rest::Client, endpoint: &keystead_rest::Endpoint| {
            client.get(endpoint.url("/"))
        };
        // Whatever it answers, it is there; logged in is nobody.
        match self.transport.once(request, MAX_STATUS_ANSWER).await {
            Ok(_) | Err(keystead_rest::Error::TooLong { .. }) => Ok(start.elapsed()),
            Err(error) => Err(Error::unreachable(error)),
        }
    }

    async fn create(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        let creation = Creation::new(self.project.clone(), name, value);
        // Dropped between its two steps, it would leave a name without a value.
        self.creates
            .spawn(creation.run())
            .await
            .map_err(Error::failed)?
    }

    async fn get(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(self.project.read(name).await?)
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        Ok(self.project.delete(name, "").await?)
    }

    async fn list(&self, prefix: &str, start: &str, limit: usize) -> Result<Vec<String>, Error> {
        let mut names = timeout(self.limits.call, self.names())
            .await
            .map_err(|_| Error::unreachable(keystead_rest::Error::Deadline(self.limits.call)))??;
        names.retain(|name| name.starts_with(prefix) && name.as_str() >= start);
        names.sort_unstable();
        names.dedup();
        names.truncate(limit);
        Ok(names)
    }

    async fn close(&self) {
        self.creates.close();
        self.creates.wait().await;
    }
}

#[cfg(test)]
mod tests;
