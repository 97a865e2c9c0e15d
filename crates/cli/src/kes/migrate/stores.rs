use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use keystead_config::ProcessEnvironment;
use keystead_config::kes::{KeyStoreConfig, Overrides, ServerConfig};
use keystead_keystore::{KeyStore, MemoryStore};
use keystead_observe::{Level, Telemetry};

use super::failure::reason;

/// Both key stores of a migration.
pub(super) struct Stores {
    pub(super) source: Arc<dyn KeyStore>,
    pub(super) target: Arc<dyn KeyStore>,
}

// === impl Stores ===

impl Stores {
    /// Opens the key stores of two configuration files.
    pub(super) async fn open(from: &Path, to: &Path, dry_run: bool) -> Result<Self> {
        let (source, target) = (load(from)?, load(to)?);
        if is_same(&source, &target) {
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
        Ok(Self {
            source: open("source", &source, from).await?,
            target: match missing(&target) {
                // Opening it would create it.
                Some(_) if dry_run => Arc::new(MemoryStore::new()),
                _ => open("target", &target, to).await?,
            },
        })
    }

    pub(super) async fn close(&self) {
        self.source.close().await;
        self.target.close().await;
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
