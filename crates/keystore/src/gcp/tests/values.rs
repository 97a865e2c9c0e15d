use jiff::Timestamp;
use keystead_crypto::{Cipher, StoredKey, SystemRandom};
use keystead_doubles::Tls;

use super::{World, says};
use crate::{Cache, CacheSettings, Error, KeyStore};
use std::sync::Arc;
use std::time::Duration;

async fn cache(world: &World) -> Cache {
    let store = world.store().await;
    let metrics = Arc::clone(&store.project.telemetry.metrics);
    let settings = CacheSettings::new(Duration::MAX, Duration::MAX, Duration::ZERO);
    Cache::new(Arc::new(store), settings, metrics)
}

/// Key stores, section 1.3: the data of version 1 is the text, as bytes.
#[tokio::test]
async fn keys_have_the_documented_form() {
    let world = World::new().await;
    let cache = cache(&world).await;
    let key = StoredKey::generate(Cipher::Aes256, &SystemRandom, Timestamp::now(), "me").unwrap();
    cache.create("my-key", &key).await.unwrap();
    assert_eq!(world.gcp.versions("my-key"), Some(1));
    let data = world.gcp.data("my-key", 1).unwrap();
    assert_eq!(data, key.encode().as_bytes());
    assert_eq!(cache.fetch("my-key").await.unwrap().id(), key.id());

    let journal = world.server.journal().take();
    let create = journal
        .iter()
        .find(|request| request.uri().path() == "/v1/projects/my-project/secrets")
        .unwrap();
    assert_eq!(create.uri().query(), Some("secretId=my-key"));
    let body: serde_json::Value = serde_json::from_slice(create.body()).unwrap();
    assert_eq!(body, serde_json::json!({"replication": {"automatic": {}}}));
}

#[tokio::test]
async fn keys_written_by_hand_work() {
    let world = World::new().await;
    let cache = cache(&world).await;
    let legacy = r#"{"bytes":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=","algorithm":"AES256"}"#;
    world.gcp.put_secret("legacy", Some(legacy.as_bytes()));
    let key = cache.fetch("legacy").await.unwrap();
    assert_eq!(key.cipher(), Cipher::Aes256);
    assert!(key.hmac(b"message").is_err());
    let store = world.store().await;
    assert_eq!(*store.get("legacy").await.unwrap(), legacy.as_bytes());

    world.gcp.put_secret("no-key", Some(b"aGVsbG8="));
    assert!(matches!(cache.fetch("no-key").await, Err(Error::Failed(_))));
}

#[tokio::test]
async fn the_first_version_counts() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"first").await.unwrap();
    world.gcp.add_version("key", b"second");
    assert_eq!(*store.get("key").await.unwrap(), b"first");
    world.gcp.destroy_version("key", 1);
    let error = store.get("key").await.unwrap_err();
    assert!(matches!(error, Error::Failed(_)), "{error:?}");
    says(
        &error,
        &[
            "gcp: versions.access: FAILED_PRECONDITION: Secret Version [",
            "is in DESTROYED state. (the key is version 1: if it is disabled, enable it",
        ],
    );
}

#[tokio::test]
async fn secrets_that_are_no_keys_are_not_listed() {
    let world = World::new().await;
    let store = world.store().await;
    let long = "k".repeat(81);
    for name in ["a", "-", "_", "a-", "z_1", long.as_str()] {
        world.gcp.put_secret(name, Some(b"value"));
    }
    let names = store.list("", "", usize::MAX).await.unwrap();
    assert_eq!(names, ["a", "z_1"]);
}

/// Each page is asked for with the token of the one before.
#[tokio::test]
async fn all_pages_are_read() {
    let world = World::new().await;
    let store = world.store().await;
    for number in 0..2_500 {
        world.gcp.put_secret(&format!("key-{number:04}"), None);
    }
    world.server.journal().take();
    let names = store.list("key-1", "key-15", 700).await.unwrap();
    let expected: Vec<String> = (1_500..2_000).map(|n| format!("key-{n:04}")).collect();
    assert_eq!(names, expected);
    assert_eq!(world.server.journal().count("/secrets"), 3);
}

#[tokio::test]
async fn is_described_by_its_project() {
    let world = World::new().await;
    let store = world.store().await;
    assert_eq!(store.description(), "GCP SecretManager: Project=my-project");
}

#[tokio::test]
async fn an_endpoint_without_scheme_is_spoken_to_with_tls() {
    let world = World::with(Tls::On).await;
    let mut config = world.config();
    config.endpoint = world.server.url().replace("https://", "");
    let store = world.open(&config).await.unwrap();
    store.create("key", b"value").await.unwrap();
    assert_eq!(*store.get("key").await.unwrap(), b"value");

    config.endpoint = "no host".into();
    let error = world.open(&config).await.err().unwrap();
    assert!(matches!(error, Error::Failed(_)), "{error:?}");
    says(&error, &["invalid endpoint 'https://no host': not a URL"]);
}

/// Whatever the API answers to a request without a token, it is there.
#[tokio::test]
async fn any_answer_means_that_it_is_reachable() {
    let world = World::new().await;
    let store = world.store().await;
    world.gcp.set(|settings| settings.enabled = false);
    for status in [404, 403, 503] {
        world.fault(1, "/", super::refusal(status, "UNKNOWN", "no"));
        store.status().await.unwrap();
    }
    let asked = world.server.journal().take();
    let asked = asked.last().unwrap();
    assert_eq!((asked.method().as_str(), asked.uri().path()), ("GET", "/"));
    assert!(asked.headers().get("authorization").is_none());
}
