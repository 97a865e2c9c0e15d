use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use jiff::Timestamp;
use keystead_config::kes::{Loaded, Overrides, ServerConfig};
use keystead_config::{ProcessEnvironment, Warning};
use keystead_identity::ApiKey;
use keystead_keystore::MemoryStore;
use keystead_observe::Telemetry;
use keystead_server_kes::{Settings, open_store, server_tls};
use keystead_tls::self_signed_dev;

use super::addresses::local_ips;

/// Where the settings of a server come from.
pub(super) enum Source {
    /// A configuration file.
    File(PathBuf),
    /// Development mode, with the API key of its admin.
    Development(ApiKey),
}

/// Settings with what became known on the way to them.
pub(super) struct Prepared {
    pub(super) settings: Settings,
    pub(super) warnings: Vec<Warning>,
    /// The configuration file and all files it refers to.
    pub(super) files: Vec<PathBuf>,
}

// === impl Source ===

impl Source {
    /// Reads everything that a configuration refers to.
    pub(super) async fn prepare(&self, loaded: Loaded, telemetry: &Telemetry) -> Result<Prepared> {
        let Loaded {
            config,
            warnings,
            files,
            ..
        } = loaded;
        let settings = match self {
            Self::File(_) => Settings {
                tls: server_tls(&config)?,
                store: open_store(&config.keystore, telemetry).await?,
                config,
            },
            Self::Development(_) => Settings {
                tls: self_signed_dev(&local_ips()?, Timestamp::now())?,
                store: Arc::new(MemoryStore::new()),
                config,
            },
        };
        Ok(Prepared {
            settings,
            warnings,
            files,
        })
    }

    /// The API key to show, which is known nowhere else.
    pub(super) fn api_key(&self) -> Option<&ApiKey> {
        match self {
            Self::File(_) => None,
            Self::Development(admin) => Some(admin),
        }
    }

    /// Reads the configuration alone.
    pub(super) fn load(&self, overrides: &Overrides) -> Result<Loaded> {
        Ok(match self {
            Self::File(path) => ServerConfig::load(path, &ProcessEnvironment, overrides)?,
            Self::Development(admin) => {
                let no_variables = |_: &str| None;
                ServerConfig::parse(&development(admin), "--dev", &no_variables, overrides)?
            }
        })
    }
}

/// The configuration of development mode. Files and key store are named only because they
/// have to be: certificate and keys are made in memory.
fn development(admin: &ApiKey) -> String {
    format!(
        "admin: {{ identity: {} }}\n\
         tls: {{ key: none, cert: none }}\n\
         log: {{ error: on, audit: on }}\n\
         keystore: {{ fs: {{ path: none }} }}\n",
        admin.identity()
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use keystead_config::Level;

    use super::*;

    #[test]
    fn development_mode_has_the_published_settings() {
        let admin = ApiKey::from_seed(&[7; 32]).unwrap();
        let identity = admin.identity().clone();
        let source = Source::Development(admin);
        let loaded = source.load(&Overrides::default()).unwrap();
        assert_eq!(loaded.warnings, []);
        assert_eq!(loaded.config.admin, identity);
        assert_eq!(loaded.config.address.to_string(), "0.0.0.0:7373");
        assert_eq!(loaded.config.cache.any, Duration::from_secs(300));
        assert_eq!(loaded.config.cache.unused, Duration::from_secs(30));
        assert_eq!(loaded.config.log.audit, Level::INFO);

        let address = Some("127.0.0.1:0".to_owned());
        let overrides = Overrides {
            address,
            ..Overrides::default()
        };
        assert_eq!(
            source.load(&overrides).unwrap().config.address.to_string(),
            "127.0.0.1:0"
        );
    }
}
