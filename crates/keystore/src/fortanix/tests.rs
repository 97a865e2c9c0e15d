//! Against the double of Fortanix SDKMS.

mod faults;
mod values;

use std::io;

use http::StatusCode as Status;
use keystead_config::SecretSource;
use keystead_crypto::Secret;
use keystead_doubles::{Authority, Fault, Fortanix, FortanixSettings, Server, Tls};
use keystead_observe::Level;

use super::*;
use crate::contract;

/// Short enough for tests in which the service hangs.
const LIMITS: Limits = Limits {
    attempt: Duration::from_millis(500),
    call: Duration::from_secs(5),
};

struct World {
    service: Fortanix,
    server: Server,
    key: String,
    config: FortanixConfig,
    telemetry: Telemetry,
    authority: Authority,
}

impl World {
    async fn new() -> Self {
        let settings = FortanixSettings::default();
        let key = settings.keys.first().unwrap().clone();
        let service = Fortanix::new(settings);
        let authority = Authority::new().unwrap();
        let answering = service.clone();
        let server = Server::start(&authority, Tls::On, move |request| {
            answering.answer(request)
        })
        .await
        .unwrap();
        Self {
            service,
            config: FortanixConfig {
                endpoint: server.url(),
                group_id: None,
                key: SecretSource::Value(Secret::new(key.clone())),
                ca: Some(authority.file()),
            },
            server,
            key,
            telemetry: Telemetry::new(Level::DEBUG, io::sink()).unwrap(),
            authority,
        }
    }

    async fn try_store(&self) -> Result<FortanixStore, Error> {
        FortanixStore::connect(&self.config, LIMITS, self.telemetry.clone()).await
    }

    async fn store(&self) -> FortanixStore {
        self.try_store().await.unwrap()
    }

    /// The next `times` requests to paths with `path` get this answer.
    fn plan(&self, times: usize, path: &str, status: u16, kind: &'static str, body: &str) {
        let status = Status::from_u16(status).unwrap();
        let fault = Fault::Page(status, kind, body.to_owned());
        self.server.faults().plan(times, path, fault);
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
        world.service.clear();
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
        format!("Fortanix SDKMS: {}", world.server.url())
    );
}
