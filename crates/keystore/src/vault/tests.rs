//! Against the double and against a real OpenBao.

mod contract;
mod faults;
mod login;
mod values;

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use keystead_config::SecretSource;
use keystead_config::kes::{
    ClientTlsConfig, EngineVersion, VaultAuth, VaultConfig, VaultLogin, VaultTransit,
};
use keystead_crypto::Secret;
use keystead_doubles::{Authority, Server, Tls, Vault, VaultSettings};
use keystead_observe::{Level, Telemetry};

use super::VaultStore;
use crate::Error;

/// A double of a server with what it takes to reach it.
struct World {
    authority: Authority,
    vault: Vault,
    server: Server,
}

impl World {
    async fn new() -> Self {
        Self::with(Tls::Off).await
    }

    async fn with(tls: Tls) -> Self {
        let authority = Authority::new().unwrap();
        let vault = Vault::new(VaultSettings::default());
        let answering = vault.clone();
        let answer = move |request: &_| answering.answer(request);
        let server = Server::start(&authority, tls, answer).await.unwrap();
        Self {
            authority,
            vault,
            server,
        }
    }

    fn config(&self, version: EngineVersion) -> VaultConfig {
        let VaultSettings {
            role_id, secret_id, ..
        } = VaultSettings::default();
        config(self.server.url(), version, &role_id, &secret_id)
    }

    /// On K/V version 2.
    async fn store(&self) -> VaultStore {
        open(&self.config(EngineVersion::V2)).await.unwrap()
    }
}

async fn open(config: &VaultConfig) -> Result<VaultStore, Error> {
    VaultStore::open(config, telemetry()).await
}

fn telemetry() -> Telemetry {
    Telemetry::new(Level::DEBUG, io::sink()).unwrap()
}

fn secret(text: &str) -> SecretSource {
    SecretSource::Value(Secret::new(text.to_owned()))
}

fn config(endpoint: String, version: EngineVersion, id: &str, password: &str) -> VaultConfig {
    let engine = match version {
        EngineVersion::V1 => "kv1",
        EngineVersion::V2 => "kv",
    };
    VaultConfig {
        endpoint,
        engine: engine.to_owned(),
        version,
        namespace: None,
        prefix: String::new(),
        transit: None,
        auth: VaultAuth::AppRole {
            login: VaultLogin {
                engine: "approle".to_owned(),
                namespace: None,
                retry: Duration::from_secs(3),
            },
            id: secret(id),
            secret: secret(password),
        },
        tls: ClientTlsConfig::default(),
        status_ping: Duration::from_secs(10),
    }
}

fn transit() -> Option<VaultTransit> {
    Some(VaultTransit {
        engine: "transit".to_owned(),
        key: "kes".to_owned(),
    })
}

/// Gives each store a folder of its own.
fn in_new_folders(config: VaultConfig) -> impl AsyncFn() -> VaultStore {
    let folders = AtomicUsize::new(0);
    async move || {
        let number = folders.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("{}/{number}", config.prefix);
        let config = VaultConfig {
            prefix,
            ..config.clone()
        };
        open(&config).await.unwrap()
    }
}

/// An error with its causes.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
