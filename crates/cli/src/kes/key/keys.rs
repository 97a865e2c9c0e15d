//! Where keys are managed: on a server, or without one on the key store itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use keystead_client_kes::{Client, CredentialError, Credentials};
use keystead_config::kes::{Overrides, ServerConfig};
use keystead_config::{Environment, ProcessEnvironment};
use keystead_crypto::SystemRandom;
use keystead_identity::Identity;
use keystead_observe::{Level, Telemetry};
use keystead_server_kes::{OfflineKeys, open_store};
use keystead_wire_kes::{DescribeKey, ImportRequest};
use tokio::signal;
use zeroize::Zeroizing;

use crate::kes::client::{ClientArgs, Interrupted, block_on};
use crate::kes::names;

/// Options of every command that manages keys.
#[derive(Args, Debug)]
pub(crate) struct KeysArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Ask no server, but work on the key store of this configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The keys of a server or of a key store.
pub(crate) enum Keys {
    Server(Client),
    Store(OfflineKeys),
}

// === impl KeysArgs ===

impl KeysArgs {
    /// Whether no server is asked, so that none can refuse.
    pub(super) fn is_offline(&self) -> bool {
        self.config.is_some()
    }

    /// Runs `task` until somebody interrupts it.
    pub(super) fn run(self, task: impl AsyncFnOnce(&Keys) -> Result<ExitCode>) -> Result<ExitCode> {
        let Some(file) = &self.config else {
            return self
                .client
                .run(async |client| task(&Keys::Server(client)).await);
        };
        if self.client.is_insecure() {
            bail!("cannot use '-k / --insecure' and '--config' flag");
        }
        block_on(async {
            tokio::select! {
                result = on_store(file, task) => result,
                _ = signal::ctrl_c() => Err(Interrupted.into()),
            }
        })
    }
}

async fn on_store(
    file: &Path,
    task: impl AsyncFnOnce(&Keys) -> Result<ExitCode>,
) -> Result<ExitCode> {
    let config = ServerConfig::load(file, &ProcessEnvironment, &Overrides::default())?.config;
    // What the key store complains about goes where errors go.
    let telemetry = Telemetry::new(Level::WARN, io::stderr())?;
    let store = open_store(&config.keystore, &telemetry).await?;
    let keys = Keys::Store(OfflineKeys::new(Arc::clone(&store), Arc::new(SystemRandom)));
    let result = task(&keys).await;
    store.close().await;
    result
}

/// The identity that the environment names as that of a client, to be noted as the
/// creator of a key; empty without one.
fn creator() -> Result<String> {
    let credentials = Credentials::from_env(None, |name| ProcessEnvironment.var(name));
    Ok(match credentials {
        Ok(Credentials::ApiKey(key)) => key.identity().to_string(),
        Ok(Credentials::Files { certificate, .. }) => {
            let path = certificate.display();
            let pem = fs::read(&certificate).with_context(|| format!("open {path}"))?;
            let identity = Identity::of_pem(&pem)
                .map_err(|error| anyhow!("failed to parse certificate in '{path}': {error}"))?;
            identity.to_string()
        }
        Err(CredentialError::Missing) => String::new(),
        Err(error) => return Err(error.into()),
    })
}

// === impl Keys ===

impl Keys {
    pub(super) async fn create(&self, name: &str) -> Result<()> {
        match self {
            Self::Server(client) => client.create_key(name).await?,
            Self::Store(keys) => keys.create(name, &creator()?).await?,
        }
        Ok(())
    }

    pub(super) async fn import(
        &self,
        name: &str,
        key: Zeroizing<Vec<u8>>,
        cipher: &str,
    ) -> Result<()> {
        match self {
            Self::Server(client) => client.import_key(name, &key, cipher).await?,
            Self::Store(keys) => {
                let cipher = cipher.to_owned();
                let request = ImportRequest { key, cipher };
                keys.import(name, &request, &creator()?).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn describe(&self, name: &str) -> Result<DescribeKey> {
        Ok(match self {
            Self::Server(client) => client.describe_key(name).await?,
            Self::Store(keys) => keys.describe(name).await?,
        })
    }

    /// The names that match `pattern`.
    pub(super) async fn list(&self, pattern: &str) -> Result<Vec<String>> {
        names::matching(pattern, async |prefix| {
            Ok(match self {
                Self::Server(client) => client.list_keys(prefix).await?,
                Self::Store(keys) => keys.list(prefix).await?,
            })
        })
        .await
    }

    pub(super) async fn delete(&self, name: &str) -> Result<()> {
        match self {
            Self::Server(client) => client.delete_key(name).await?,
            Self::Store(keys) => keys.delete(name).await?,
        }
        Ok(())
    }
}
