//! Against the double and against a real OpenBao.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use keystead_config::SecretSource;
use keystead_config::kes::{
    ClientCertificate, ClientTlsConfig, EngineVersion, VaultAuth, VaultConfig, VaultLogin,
    VaultTransit,
};
use keystead_crypto::Secret;
use keystead_doubles::{Authority, OpenBao, Role, Server, Tls, Vault, VaultSettings};
use keystead_observe::{ErrorLog, Level, Metrics, Telemetry};
use serde_json::{Value, json};

use super::VaultStore;
use crate::{Error, KeyStore, contract};

/// The policies of the documentation, for the engines `kv1` and `kv`.
const POLICY: &str = r#"
path "kv1/*" { capabilities = ["create", "read", "delete", "list"] }
path "kv/data/*" { capabilities = ["create", "read"] }
path "kv/metadata/*" { capabilities = ["list", "delete"] }
path "transit/encrypt/kes" { capabilities = ["update"] }
path "transit/decrypt/kes" { capabilities = ["update"] }
"#;

fn telemetry() -> Telemetry {
    let metrics = Arc::new(Metrics::new().unwrap());
    let log = ErrorLog::new(Level::DEBUG, io::sink(), Timestamp::now, &metrics).unwrap();
    Telemetry {
        metrics,
        log: Arc::new(log),
    }
}

fn secret(text: &str) -> SecretSource {
    SecretSource::Value(Secret::new(text.to_owned()))
}

fn config(endpoint: String, version: EngineVersion) -> VaultConfig {
    let engine = match version {
        EngineVersion::V1 => "kv1",
        EngineVersion::V2 => "kv",
    };
    let settings = VaultSettings::default();
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
            id: secret(&settings.role_id),
            secret: secret(&settings.secret_id),
        },
        tls: ClientTlsConfig::default(),
        status_ping: Duration::from_secs(10),
    }
}

async fn double(tls: Tls) -> (Authority, Vault, Server) {
    let authority = Authority::new().unwrap();
    let vault = Vault::new(VaultSettings::default());
    let answering = vault.clone();
    let answer = move |request: &_| answering.answer(request);
    let server = Server::start(&authority, tls, answer).await.unwrap();
    (authority, vault, server)
}

/// Gives each store a folder of its own.
fn in_new_folders(config: VaultConfig) -> impl AsyncFn() -> VaultStore {
    let folders = AtomicUsize::new(0);
    async move || {
        let number = folders.fetch_add(1, Ordering::Relaxed);
        let config = VaultConfig {
            prefix: format!("{}/{number}", config.prefix),
            ..config.clone()
        };
        VaultStore::open(&config, telemetry()).await.unwrap()
    }
}

#[tokio::test]
async fn meets_the_contract() {
    let (_, _, server) = double(Tls::Off).await;
    let v2 = config(server.url(), EngineVersion::V2);
    contract::check(in_new_folders(v2.clone())).await;
    let transit = Some(VaultTransit {
        engine: "transit".to_owned(),
        key: "kes".to_owned(),
    });
    let prefix = "wrapped".to_owned();
    contract::check(in_new_folders(VaultConfig {
        transit,
        prefix,
        ..v2
    }))
    .await;
    let v1 = config(server.url(), EngineVersion::V1);
    contract::check_all_but_races(in_new_folders(v1)).await;
}
