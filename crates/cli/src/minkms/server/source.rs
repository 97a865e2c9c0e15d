use std::env;
use std::path::{Path, PathBuf};

use anyhow::Result;
use jiff::Timestamp;
use keystead_config::ProcessEnvironment;
use keystead_config::kms::{
    CertificateConfig, ClusterConfig, Loaded, LogConfig, LogTarget, MetricsConfig, ServerConfig,
    TlsConfig,
};
use keystead_observe::Level;
use keystead_server_kms::Settings;
use keystead_tls::{
    ClientAuth, KeyPair, ServerSettings, ServerTls, self_signed_dev_open, server_by_name,
};

use crate::kes::addresses::local_ips;

/// Where the settings of a server come from.
pub(super) enum Source {
    /// A configuration file.
    File(PathBuf),
    /// Nothing but perhaps a certificate in the home folder.
    Nothing,
    /// Development mode.
    Development,
}

/// The folder of this program, below the home folder.
const HOME: &str = ".minkms";

// === impl Source ===

impl Source {
    /// What is found in the home folder.
    pub(super) fn of_home() -> Self {
        match home().map(|home| home.join("config.yaml")) {
            Some(file) if file.exists() => Self::File(file),
            _ => Self::Nothing,
        }
    }

    /// Reads the configuration alone.
    pub(super) fn load(&self) -> Result<Loaded> {
        match self {
            Self::File(path) => Ok(ServerConfig::load(path, &ProcessEnvironment)?),
            Self::Nothing => {
                let certs = certificate_of_home();
                let files = certs.iter().flat_map(|pair| [&pair.key, &pair.cert]);
                let files = files.cloned().collect();
                Ok(without_file(
                    certs.into_iter().collect(),
                    files,
                    LogTarget::Off,
                ))
            }
            Self::Development => Ok(without_file(Vec::new(), Vec::new(), LogTarget::On)),
        }
    }
}

fn home() -> Option<PathBuf> {
    env::var_os("HOME").map(|home| Path::new(&home).join(HOME))
}

fn certificate_of_home() -> Option<CertificateConfig> {
    let folder = home()?.join("certs");
    let (key, cert) = (folder.join("private.key"), folder.join("public.crt"));
    (key.exists() && cert.exists()).then_some(CertificateConfig {
        key,
        cert,
        password: None,
    })
}

fn without_file(certs: Vec<CertificateConfig>, files: Vec<PathBuf>, audit: LogTarget) -> Loaded {
    Loaded {
        config: ServerConfig {
            admin: None,
            cluster: ClusterConfig::default(),
            tls: TlsConfig { certs, ca: None },
            log: LogConfig {
                audit,
                ..LogConfig::default()
            },
            metrics: MetricsConfig::default(),
            hsms: Vec::new(),
        },
        warnings: Vec::new(),
        files,
        origins: std::collections::BTreeMap::new(),
    }
}

/// The level that a target of the error log stands for.
pub(super) fn level(target: &LogTarget) -> Level {
    match target {
        LogTarget::Off => Level::OFF,
        LogTarget::On | LogTarget::File(_) => Level::INFO,
    }
}

/// Reads what can be replaced while a server runs.
pub(super) fn settings(config: &ServerConfig) -> Result<Settings> {
    Ok(Settings {
        tls: tls(&config.tls)?,
        metrics_public: config.metrics.public,
        metrics_identities: config.metrics.identities.iter().copied().collect(),
        error_level: level(&config.log.error),
    })
}

/// A client may show a certificate or none, and whoever signed it does not matter (MinIO
/// KMS protocol, section 1.3). Without a certificate the server signs one for this run.
fn tls(config: &TlsConfig) -> Result<ServerTls> {
    let Some((first, further)) = config.certs.split_first() else {
        return Ok(self_signed_dev_open(&local_ips()?, Timestamp::now())?);
    };
    let settings = ServerSettings {
        certificate: first.cert.clone(),
        key: first.key.clone(),
        password: first.password.clone(),
        client_auth: ClientAuth {
            required: false,
            verified: false,
        },
        ca: None,
    };
    let further = further.iter().map(|pair| KeyPair {
        certificate: pair.cert.clone(),
        key: pair.key.clone(),
        password: pair.password.clone(),
    });
    let further: Vec<_> = further.collect();
    Ok(server_by_name(&settings, &further)?)
}
