//! Against the double of Secret Manager.

mod creates;
mod faults;
mod logins;
mod values;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use keystead_config::kes::{GcpCredentials, GcpSecretManagerConfig};
use keystead_crypto::Secret;
use keystead_doubles::{Authority, Fault, Gcp, GcpSettings, Server, Tls};
use keystead_observe::{Level, Telemetry};
use keystead_rest::Limits;
use keystead_tls::{ClientSettings, Trust};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::GcpStore;
use crate::{Error, KeyStore, contract};

/// Limits for tests that wait for them.
const SHORT: Limits = Limits {
    attempt: Duration::from_millis(300),
    call: Duration::from_secs(4),
};

/// A double of a project with what it takes to reach it.
struct World {
    authority: Authority,
    gcp: Gcp,
    server: Server,
    limits: Limits,
    log: Log,
}

/// What was written to the error log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

// === impl World ===

impl World {
    async fn new() -> Self {
        Self::with(Tls::Off).await
    }

    async fn with(tls: Tls) -> Self {
        let authority = Authority::new().unwrap();
        let gcp = Gcp::new(GcpSettings::default()).unwrap();
        Self {
            server: gcp.serve(&authority, tls).await.unwrap(),
            authority,
            gcp,
            limits: Limits::default(),
            log: Log::default(),
        }
    }

    /// With deadlines to wait for.
    async fn impatient() -> Self {
        Self {
            limits: SHORT,
            ..Self::new().await
        }
    }

    fn config(&self) -> GcpSecretManagerConfig {
        let account = self.gcp.account();
        GcpSecretManagerConfig {
            project_id: self.gcp.settings().project_id,
            endpoint: self.server.url(),
            scopes: vec!["https://www.googleapis.com/auth/cloud-platform".into()],
            credentials: Some(GcpCredentials {
                client_email: account.client_email,
                client_id: account.client_id,
                private_key_id: account.private_key_id,
                private_key: Secret::new(account.private_key),
            }),
        }
    }

    async fn open(&self, config: &GcpSecretManagerConfig) -> Result<GcpStore, Error> {
        let tls = keystead_tls::client(ClientSettings {
            credential: None,
            trust: Trust::Only(self.authority.file()),
        });
        let telemetry = Telemetry::new(Level::DEBUG, self.log.clone()).unwrap();
        GcpStore::connect(config, tls.unwrap(), self.limits, telemetry).await
    }

    async fn store(&self) -> GcpStore {
        self.open(&self.config()).await.unwrap()
    }

    fn fault(&self, times: usize, path: &str, fault: Fault) {
        self.server.faults().plan(times, path, fault);
    }
}

// === impl Log ===

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    /// Waits for a line.
    async fn says(&self, text: &str) {
        let waiting = async {
            while !self.text().contains(text) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let said = timeout(Duration::from_secs(10), waiting).await;
        assert!(said.is_ok(), "no '{text}' in: {}", self.text());
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An error as Google's APIs give it.
fn refusal(status: u16, code: &str, message: &str) -> Fault {
    let body =
        format!(r#"{{"error":{{"code":{status},"message":"{message}","status":"{code}"}}}}"#);
    let status = StatusCode::from_u16(status).unwrap();
    Fault::Page(status, "application/json; charset=UTF-8", body)
}

/// An error with its causes, as a log shows it, and as a programmer sees it.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    format!("{text}\n{error:?}")
}

#[track_caller]
fn says(error: &Error, texts: &[&str]) {
    let told = told(error);
    for text in texts {
        assert!(told.contains(text), "no '{text}' in: {told}");
    }
}

#[tokio::test]
async fn meets_the_contract() {
    let world = World::new().await;
    contract::check(async || {
        world.gcp.clear();
        world.store().await
    })
    .await;
}

/// Over TLS, with more pages than names in each.
#[tokio::test]
async fn meets_the_contract_in_small_pages() {
    let world = World::with(Tls::On).await;
    world.gcp.set(|settings| settings.page_size = 3);
    contract::check(async || {
        world.gcp.clear();
        world.store().await
    })
    .await;
}

#[tokio::test]
async fn of_rivals_on_two_servers_one_succeeds() {
    let world = World::new().await;
    let servers = [world.store().await, world.store().await].map(Arc::new);
    for round in 0..5 {
        let mut creates = JoinSet::new();
        let name = format!("key-{round}");
        for number in 0..50_u8 {
            let store = Arc::clone(&servers[usize::from(number % 2)]);
            let name = name.clone();
            creates.spawn(async move { (store.create(&name, &[number]).await, number) });
        }
        let mut winners = Vec::new();
        for (outcome, number) in creates.join_all().await {
            match outcome {
                Ok(()) => winners.push(number),
                Err(error) => assert!(matches!(error, Error::KeyExists), "{error:?}"),
            }
        }
        assert_eq!(world.gcp.data(&name, 1), Some(winners));
        assert_eq!(world.gcp.versions(&name), Some(1));
    }
    assert_eq!(world.log.text(), "");
}

#[tokio::test]
async fn ten_thousand_polls_leave_nothing_behind() {
    let world = World::new().await;
    contract::stays_flat(&world.store().await).await;
    assert!(world.server.accepted() <= 4, "{}", world.server.accepted());
}
