//! Keys in Azure Key Vault.
//!
//! The service has no operation that creates a secret only if there is none: each write
//! adds a version. What makes a create exclusive nevertheless is that every reader takes
//! the *oldest* version, with the smaller id first if two are of the same second, which
//! is as fine as the service tells the time. A writer waits until no version can come
//! into being any more that would be older than its own, looks which one is the oldest,
//! and has created the key if it is its own. A reader that finds an oldest version so
//! young that it may still be contested waits, too.

mod budget;
mod error;
mod login;
mod surroundings;
mod transport;
mod vault;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::http::{Context, Url};
use keystead_config::kes::AzureKeyVaultConfig;
use keystead_crypto::constant_time_eq;
use keystead_observe::Telemetry;
use keystead_rest::{Limits, Transport};
use keystead_tls::{ClientSettings, Trust};
use keystead_wire_kes::Name;
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use self::budget::Budget;
use self::error::AzureError;
use self::login::Login;
use self::surroundings::Surroundings;
use self::transport::{Peer, Wire, pause};
use self::vault::{Vault, Versions};
use crate::cache::CreateTurns as Turns;
use crate::{Error, KeyStore};

/// How old the oldest version of a secret is before it is the key.
///
/// The service dates versions to the second, so for up to one second one that comes later
/// can have a place before one that is there. The other two seconds are for clocks that
/// differ, and for versions that are seen later than they are dated.
const SETTLE: Duration = Duration::from_secs(3);

/// How long one call may take: less than the KES API waits, so that the reason is known.
const CALL: Duration = Duration::from_secs(14);

/// How often a create writes at most (key stores, section 8).
const WRITES: usize = 8;

/// How often a create purges a deleted secret of the same name at most.
const PURGES_BEFORE_CREATE: usize = 25;

/// How often a delete purges at most.
const PURGES_AFTER_DELETE: usize = 10;

/// How often a list of versions is read again if it does not have a new one.
const LISTS: usize = 3;

/// Keys as secrets of an Azure Key Vault (key stores, section 8).
pub struct AzureKeyVaultStore {
    vault: Vault,
    connections: Arc<Transport>,
    creates: Turns,
    settings: Settings,
    description: String,
}

/// What tests have otherwise.
#[derive(Clone)]
struct Settings {
    limits: Limits,
    settle: Duration,
    surroundings: Surroundings,
    trust: Trust,
}

// === impl AzureKeyVaultStore ===

impl AzureKeyVaultStore {
    /// Prepares everything; the vault and the token service are asked when they are
    /// needed.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] if the configuration cannot be used.
    #[expect(clippy::unused_async, reason = "stores are opened alike")]
    pub async fn open(config: &AzureKeyVaultConfig, telemetry: Telemetry) -> Result<Self, Error> {
        let settings = Settings {
            limits: Limits {
                call: CALL,
                ..Limits::default()
            },
            settle: SETTLE,
            surroundings: Surroundings::of_process(),
            trust: Trust::System,
        };
        Ok(Self::with(config, &telemetry, settings)?)
    }

    fn with(
        config: &AzureKeyVaultConfig,
        telemetry: &Telemetry,
        settings: Settings,
    ) -> Result<Self, AzureError> {
        let endpoint = keystead_rest::Endpoint::parse(&config.endpoint)
            .map_err(|error| AzureError::Endpoint(Arc::new(error)))?;
        let url: Url =
            (config.endpoint.parse()).map_err(|_| AzureError::NotHttps(config.endpoint.clone()))?;
        if url.scheme() != "https" {
            return Err(AzureError::NotHttps(config.endpoint.clone()));
        }
        let origin = url.origin().ascii_serialization();
        let tls = keystead_tls::client(ClientSettings {
            credential: None,
            trust: settings.trust.clone(),
        })?;
        let wire = |peer| {
            let metrics = Arc::clone(&telemetry.metrics);
            Arc::new(Wire::new(peer, tls.clone(), settings.limits, metrics))
        };
        let tokens = wire(Peer::TokenServices {
            metadata: settings.surroundings.metadata.clone(),
        });
        let metrics = Arc::clone(&telemetry.metrics);
        let login = Login::new(&config.credentials, &settings, tokens, metrics)?;
        let requests = wire(Peer::Vault(origin.clone()));
        let connections = requests.transport(&origin)?;
        Ok(Self {
            vault: Vault::new(url.as_str(), endpoint.is_local(), Arc::new(login), requests)?,
            connections,
            creates: Turns::default(),
            settings,
            description: format!("Azure KeyVault: {}", config.endpoint),
        })
    }

    /// The time that a call has from now on.
    fn budget(&self) -> Arc<Budget> {
        Budget::new(self.settings.limits.call)
    }

    /// Writes the first version of a secret; whether that was this call's.
    async fn write_first(
        &self,
        name: &str,
        text: &str,
        context: &Context<'_>,
    ) -> Result<bool, AzureError> {
        if self.vault.exists(name, context).await? {
            return Ok(false);
        }
        let mut uncertain = false;
        let mut writes = 0;
        let written = loop {
            writes += 1;
            match self.vault.write(name, text, context).await {
                Ok(id) => break id,
                Err(error) if writes == WRITES => return Err(error),
                Err(error) if error.is_deleted() => {
                    self.purge(name, PURGES_BEFORE_CREATE, context).await?;
                    if error.is_being_deleted() {
                        sleep(pause()).await;
                    }
                }
                Err(error) if error.is_uncertain() => {
                    uncertain = true;
                    sleep(pause()).await;
                }
                Err(error) => return Err(error),
            }
        };
        sleep(self.settings.settle).await;
        let versions = self.versions_with(name, &written, context).await?;
        if versions.oldest.id == written {
            return Ok(true);
        }
        if !uncertain {
            return Ok(false);
        }
        // An earlier write without an answer may have been the first. Values are made of
        // random keys: one that is the same is this call's.
        let first = self.vault.read(name, &versions.oldest.id, context).await?;
        Ok(constant_time_eq(first.as_bytes(), text.as_bytes()))
    }

    /// The versions of a secret, once that one is among them.
    async fn versions_with(
        &self,
        name: &str,
        written: &str,
        context: &Context<'_>,
    ) -> Result<Versions, AzureError> {
        for _ in 0..LISTS {
            match self.vault.versions(name, context).await {
                Ok(versions) if versions.ids.contains(written) => return Ok(versions),
                Ok(_) => {}
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
            sleep(pause()).await;
        }
        Err(AzureError::Unlisted)
    }

    /// The versions of a secret, once it is settled which is the oldest.
    async fn settled(&self, name: &str, context: &Context<'_>) -> Result<Versions, AzureError> {
        let settle = self.settings.settle;
        let mut first_seen: Option<(String, Instant)> = None;
        loop {
            let versions = self.vault.versions(name, context).await?;
            let age = versions.now - versions.oldest.created;
            let missing = (azure_core::time::Duration::try_from(settle)).map_or(settle, |settle| {
                (settle - age).try_into().unwrap_or_default()
            });
            let oldest = &versions.oldest.id;
            // If the clocks of the service differ too much, ours decides.
            let seen = match &first_seen {
                Some((id, at)) if id == oldest => at.elapsed(),
                _ => {
                    first_seen = Some((oldest.clone(), Instant::now()));
                    Duration::ZERO
                }
            };
            let missing = missing.min(settle.saturating_sub(seen));
            if missing.is_zero() {
                return Ok(versions);
            }
            sleep(missing).await;
        }
    }

    /// Removes a deleted secret for good, which takes the service some time after the
    /// deletion.
    async fn purge(
        &self,
        name: &str,
        times: usize,
        context: &Context<'_>,
    ) -> Result<(), AzureError> {
        let mut left = times;
        loop {
            left -= 1;
            match self.vault.purge(name, context).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_not_found() => return Ok(()),
                Err(error) if error.is_being_deleted() && left > 0 => sleep(pause()).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// The value of the key, unless the service writes its name in another way.
    async fn read(
        &self,
        name: &str,
        context: &Context<'_>,
    ) -> Result<Option<Zeroizing<String>>, AzureError> {
        let versions = self.settled(name, context).await?;
        // The service does not tell upper from lower case, policies do.
        if versions.name != name {
            return Ok(None);
        }
        versions.attributes.check(versions.now)?;
        let id = &versions.oldest.id;
        self.vault.read(name, id, context).await.map(Some)
    }

    async fn remove(&self, name: &str, context: &Context<'_>) -> Result<(), AzureError> {
        match self.vault.versions(name, context).await {
            Ok(versions) if versions.name != name => return Ok(()),
            Err(error) if !error.is_not_found() => return Err(error),
            _ => {}
        }
        match self.vault.delete(name, context).await {
            Err(error) if !error.is_not_found() && !error.is_being_deleted() => return Err(error),
            _ => {}
        }
        match self.purge(name, PURGES_AFTER_DELETE, context).await {
            // It is gone for everybody; the next create of the name purges it.
            Err(error) if error.is_being_deleted() => Ok(()),
            outcome => outcome,
        }
    }
}

#[async_trait]
impl KeyStore for AzureKeyVaultStore {
    fn description(&self) -> String {
        self.description.clone()
    }

    async fn status(&self) -> Result<Duration, Error> {
        let start = Instant::now();
        // Any answer will do, that it takes a token included.
        let outcome = self
            .connections
            .once(|client, endpoint| client.get(endpoint.url("/")), 1 << 20)
            .await;
        match outcome {
            Ok(_) => Ok(start.elapsed()),
            Err(error) => Err(AzureError::Connection(Arc::new(error)).into()),
        }
    }

    async fn create(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        check(name)?;
        let text = std::str::from_utf8(value).map_err(|_| AzureError::NotText)?;
        let budget = self.budget();
        let context = budget.context();
        let create = async {
            // Rivals within this server need not leave versions behind.
            let _turn = self.creates.take(name).await;
            self.write_first(name, text, &context).await
        };
        match budget.spend(create).await? {
            true => Ok(()),
            false => Err(Error::KeyExists),
        }
    }

    async fn get(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        check(name)?;
        let budget = self.budget();
        let context = budget.context();
        match budget.spend(self.read(name, &context)).await? {
            Some(text) => Ok(Zeroizing::new(text.as_bytes().to_vec())),
            None => Err(Error::KeyNotFound),
        }
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        check(name)?;
        let budget = self.budget();
        let context = budget.context();
        Ok(budget.spend(self.remove(name, &context)).await?)
    }

    async fn list(&self, prefix: &str, start: &str, limit: usize) -> Result<Vec<String>, Error> {
        let budget = self.budget();
        let context = budget.context();
        let names = budget.spend(self.vault.names(&context)).await?;
        Ok(names
            .into_iter()
            .filter(|name| name.starts_with(prefix) && name.as_str() >= start)
            .filter(|name| Name::is_valid(name))
            .take(limit)
            .collect())
    }

    async fn close(&self) {}
}

/// Refuses a name that the service does not allow.
fn check(name: &str) -> Result<(), AzureError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if name.is_empty() || !name.bytes().all(allowed) {
        return Err(AzureError::Name(name.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
