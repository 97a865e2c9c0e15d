use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use jiff::Timestamp;
use keystead_config::SecretSource;
use keystead_crypto::{Cipher, Secret, StoredKey, SystemRandom};
use keystead_doubles::{Authority, Fault, KeyControl, KeyControlSettings, Server, Tls};
use keystead_observe::{ErrorLog, Level, Metrics};

use super::*;
use crate::{Cache, CacheSettings, contract};

struct World {
    appliance: KeyControl,
    node: Server,
    config: KeyControlConfig,
    telemetry: Telemetry,
    // The file of the authority goes with it.
    _authority: Authority,
}

impl World {
    async fn new() -> Self {
        let settings = KeyControlSettings::default();
        let appliance = KeyControl::new(settings.clone());
        let authority = Authority::new().unwrap();
        let node = appliance.node(1, &authority, Tls::On).await.unwrap();
        let metrics = Metrics::new().unwrap();
        let log = ErrorLog::new(Level::INFO, std::io::sink(), Timestamp::now, &metrics);
        Self {
            appliance,
            config: KeyControlConfig {
                endpoints: vec![node.url()],
                vault_id: settings.vault_id,
                box_id: settings.box_name,
                username: settings.username,
                password: SecretSource::Value(Secret::new(settings.password)),
                ca: Some(authority.file()),
            },
            node,
            telemetry: Telemetry {
                log: Arc::new(log.unwrap()),
                metrics: Arc::new(metrics),
            },
            _authority: authority,
        }
    }

    async fn store(&self) -> KeyControlStore {
        KeyControlStore::open(&self.config, self.telemetry.clone())
            .await
            .unwrap()
    }

    async fn cache(&self) -> Cache {
        let settings = CacheSettings::new(Duration::MAX, Duration::MAX, Duration::ZERO);
        let metrics = Arc::clone(&self.telemetry.metrics);
        Cache::new(Arc::new(self.store().await), settings, metrics)
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn status_calls_leave_nothing_behind() {
    contract::stays_flat(&World::new().await.store().await).await;
}

#[tokio::test]
async fn is_described_by_its_endpoints() {
    let mut world = World::new().await;
    let url = world.node.url();
    assert_eq!(
        world.store().await.description(),
        format!("Entrust KeyControl: {url}")
    );
    world.config.endpoints.push("https://127.0.0.2/kc/".into());
    assert_eq!(
        world.store().await.description(),
        format!("Entrust KeyControl: {url}, https://127.0.0.2/kc/")
    );
}

#[tokio::test]
async fn secrets_that_are_no_keys_are_not_listed() {
    let world = World::new().await;
    let store = world.store().await;
    for name in ["a", "b/c", "-", "my key", "z_1"] {
        world.appliance.put_secret(name, "eA==");
    }
    let names = store.list("", "", usize::MAX).await.unwrap();
    assert_eq!(names, ["a", "z_1"]);
}

/// Key stores, section 1.3: the text of the stored key once more in base64.
#[tokio::test]
async fn keys_have_the_documented_form() {
    let world = World::new().await;
    let cache = world.cache().await;
    let key = StoredKey::generate(Cipher::Aes256, &SystemRandom, Timestamp::now(), "me").unwrap();
    cache.create("my-key", &key).await.unwrap();
    let secret_data = world.appliance.secret_data("my-key").unwrap();
    let decode = |text: &[u8]| STANDARD.decode(text).unwrap();
    let text = decode(secret_data.as_bytes());
    assert_eq!(text, key.encode().as_bytes());
    assert_eq!(decode(&text)[0], 0x0a, "the first field of a message");
    assert_eq!(cache.fetch("my-key").await.unwrap().id(), key.id());
}

#[tokio::test]
async fn keys_written_by_hand_work() {
    let world = World::new().await;
    let cache = world.cache().await;
    let legacy = r#"{"bytes":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=","algorithm":"AES256"}"#;
    world
        .appliance
        .put_secret("legacy", &STANDARD.encode(legacy));
    let key = cache.fetch("legacy").await.unwrap();
    assert_eq!(key.cipher(), Cipher::Aes256);
    assert!(key.hmac(b"message").is_err());

    for (name, text) in [("not-base64", legacy), ("no-key", "aGVsbG8=")] {
        world.appliance.put_secret(name, text);
        assert!(matches!(cache.fetch(name).await, Err(Error::Failed(_))));
    }
}

#[tokio::test]
async fn an_appliance_that_is_away_is_told_from_one_that_fails() {
    let mut world = World::new().await;
    let store = world.store().await;
    let sorry = Fault::Answer(StatusCode::SERVICE_UNAVAILABLE, "Sorry".into());
    world.node.faults().plan(3, "GetBox", sorry);
    let error = store.status().await.unwrap_err();
    let Error::Failed(cause) = error else {
        panic!("{error:?}");
    };
    assert_eq!(
        cause.to_string(),
        "keycontrol: 503 Service Unavailable: Sorry"
    );
    world.node.kill().await;
    for result in [
        store.status().await.map(drop),
        store.create("key", b"value").await,
        store.get("key").await.map(drop),
    ] {
        assert!(matches!(result, Err(Error::Unreachable(_))), "{result:?}");
    }
    world.node.restart().await.unwrap();
    store.status().await.unwrap();
}
