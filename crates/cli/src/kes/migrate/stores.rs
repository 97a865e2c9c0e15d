use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use keystead_client_kms::Enclave;
use keystead_config::ProcessEnvironment;
use keystead_config::kes::{KeyStoreConfig, Overrides, ServerConfig};
use keystead_keystore::{KeyStore, MemoryStore};
use keystead_observe::{Level, Telemetry};

use super::destination::Destination;
use super::failure::reason;

/// Both sides of a migration.
pub(super) struct Stores {
    pub(super) source: Arc<dyn KeyStore>,
    pub(super) target: Opened,
}

/// A target that was reached.
pub(super) enum Opened {
    Store(Arc<dyn KeyStore>),
    Kms(Enclave),
}

// === impl Stores ===

impl Stores {
    /// Opens the key stores of two configuration files, or that of one file and a MinIO
    /// KMS server.
    pub(super) async fn open(from: &Path, to: Destination, dry_run: bool) -> Result<Self> {
        let source = load(from)?;
        let target = match &to {
            Destination::File(to) => Some((load(to)?, to)),
            Destination::Kms(_) => None,
        };
        if let Some((target, to)) = &target
            && is_same(&source, target)
        {
            bail!(
                "'{}' and '{}' have the same key store",
                from.display(),
                to.display()
            );
        }
        if let Some(folder) = missing(&source) {
            bail!(
                "the folder '{}' of the source does not exist: see keystore.fs.path in '{}'",
                folder.display(),
                from.display()
            );
        }
        // What the key stores complain about goes where errors go.
        let telemetry = Telemetry::new(Level::WARN, io::stderr())?;
        let open = async |side, config: &KeyStoreConfig, file: &Path| {
            let store = keystead_keystore::open(config, &telemetry).await;
            store.map_err(|error| {
                let reason = reason(&error);
                anyhow!("failed to open the {side} ({}): {reason}", file.display())
            })
        };
        let source = open("source", &source, from).await?;
        let target = match (target, &to) {
            // Opening it would create it.
            (Some((target, _)), _) if dry_run && missing(&target).is_some() => {
                Opened::Store(Arc::new(MemoryStore::new()))
            }
            (Some((target, to)), _) => Opened::Store(open("target", &target, to).await?),
            (None, Destination::Kms(enclave)) => Opened::Kms(enclave.clone()),
            (None, Destination::File(to)) => bail!("no key store in '{}'", to.display()),
        };
        Ok(Self { source, target })
    }

    pub(super) async fn close(&self) {
        self.source.close().await;
        if let Opened::Store(target) = &self.target {
            target.close().await;
        }
    }
}

fn load(file: &Path) -> Result<KeyStoreConfig> {
    let loaded = ServerConfig::load(file, &ProcessEnvironment, &Overrides::default())?;
    Ok(loaded.config.keystore)
}

/// The folder of a key store that has none yet.
fn missing(store: &KeyStoreConfig) -> Option<&Path> {
    match store {
        KeyStoreConfig::Fs(fs) if !fs.path.exists() => Some(&fs.path),
        _ => None,
    }
}

/// Whether both are one place, whoever looks at it.
///
/// Two names of one server are not seen through. That does no harm: every key is there
/// with the same value then, and nothing is written.
fn is_same(one: &KeyStoreConfig, other: &KeyStoreConfig) -> bool {
    match (one, other) {
        (KeyStoreConfig::Fs(one), KeyStoreConfig::Fs(other)) => {
            match (fs::canonicalize(&one.path), fs::canonicalize(&other.path)) {
                (Ok(one), Ok(other)) => one == other,
                _ => one == other,
            }
        }
        (KeyStoreConfig::Vault(one), KeyStoreConfig::Vault(other)) => {
            (&one.endpoint, &one.namespace, &one.engine, &one.prefix)
                == (
                    &other.endpoint,
                    &other.namespace,
                    &other.engine,
                    &other.prefix,
                )
        }
        (KeyStoreConfig::KeyControl(one), KeyStoreConfig::KeyControl(other)) => {
            (&one.endpoints, &one.vault_id, &one.box_id)
                == (&other.endpoints, &other.vault_id, &other.box_id)
        }
        (one, other) => one == other,
    }
}
