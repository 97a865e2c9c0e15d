//! Against the double of a CipherTrust Manager.

mod faults;
mod tokens;
mod values;

use std::io::{self, Write};
use std::sync::Mutex;

use keystead_config::SecretSource;
use keystead_crypto::Secret;
use keystead_doubles::{Authority, CipherTrust, CipherTrustSettings, Server, Tls};
use keystead_observe::Level;
use tokio::time::Instant;

use super::*;
use crate::contract;

/// Short enough for tests in which the appliance hangs.
const LIMITS: Limits = Limits {
    attempt: Duration::from_millis(500),
    call: Duration::from_secs(5),
};

struct World {
    appliance: CipherTrust,
    server: Server,
    config: KeySecureConfig,
    telemetry: Telemetry,
    log: Output,
    authority: Authority,
}

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl World {
    async fn new() -> Self {
        let settings = CipherTrustSettings::default();
        let token = settings.refresh_tokens.first().unwrap().clone();
        let appliance = CipherTrust::new(settings);
        let authority = Authority::new().unwrap();
        let answering = appliance.clone();
        let server = Server::start(&authority, Tls::On, move |request| {
            answering.answer(request)
        })
        .await
        .unwrap();
        let log = Output::default();
        Self {
            appliance,
            config: KeySecureConfig {
                endpoint: server.url(),
                token: SecretSource::Value(Secret::new(token)),
                domain: None,
                retry: Duration::from_secs(5),
                ca: Some(authority.file()),
            },
            server,
            telemetry: Telemetry::new(Level::DEBUG, log.clone()).unwrap(),
            log,
            authority,
        }
    }

    async fn try_store(&self) -> Result<KeySecureStore, Error> {
        KeySecureStore::connect(&self.config, LIMITS, self.telemetry.clone()).await
    }

    async fn store(&self) -> KeySecureStore {
        self.try_store().await.unwrap()
    }

    /// Everything in the error log so far.
    async fn errors(&self) -> String {
        self.telemetry.log.flush().await;
        String::from_utf8(self.log.0.lock().unwrap().clone()).unwrap()
    }

    fn metric(&self, family: &str) -> f64 {
        let text = self.telemetry.metrics.encode().unwrap();
        let name = format!("keystead_keystore_{family} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.unwrap().parse().unwrap()
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

fn denied<T>(result: Result<T, Error>) -> String {
    let error = result.err().unwrap();
    assert!(matches!(error, Error::Denied(_)), "{}", told(&error));
    told(&error)
}

fn failed<T>(result: Result<T, Error>) -> String {
    let error = result.err().unwrap();
    assert!(matches!(error, Error::Failed(_)), "{}", told(&error));
    told(&error)
}

fn unreachable<T>(result: Result<T, Error>) -> String {
    let error = result.err().unwrap();
    assert!(matches!(error, Error::Unreachable(_)), "{}", told(&error));
    told(&error)
}

#[tokio::test]
async fn meets_the_contract() {
    let world = World::new().await;
    contract::check(async || {
        world.appliance.clear();
        world.store().await
    })
    .await;
}

#[tokio::test]
async fn status_calls_leave_nothing_behind() {
    contract::stays_flat(&World::new().await.store().await).await;
}

#[tokio::test]
async fn two_servers_create_a_key_once() {
    let world = World::new().await;
    let (one, two) = (world.store().await, world.store().await);
    for number in 0..25 {
        let name = format!("key-{number}");
        let (first, second) = tokio::join!(one.create(&name, b"one"), two.create(&name, b"two"));
        let stored = one.get(&name).await.unwrap();
        match (first, second) {
            (Ok(()), Err(Error::KeyExists)) => assert_eq!(*stored, b"one"),
            (Err(Error::KeyExists), Ok(())) => assert_eq!(*stored, b"two"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn is_described_by_its_endpoint() {
    let world = World::new().await;
    assert_eq!(
        world.store().await.description(),
        format!("Gemalto KeySecure: {}", world.server.url())
    );
}
