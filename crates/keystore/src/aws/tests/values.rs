use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use keystead_crypto::{Cipher, StoredKey, SystemRandom};
use keystead_doubles::{AwsKeys, Moto};
use serde_json::json;

use super::{World, config, open, telemetry, told};
use crate::{AwsStore, Cache, CacheSettings, Error, KeyStore};

const LEGACY: &str =
    r#"{"bytes":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=","algorithm":"AES256"}"#;

fn cache(store: AwsStore) -> Cache {
    let settings = CacheSettings::new(Duration::MAX, Duration::MAX, Duration::ZERO);
    Cache::new(Arc::new(store), settings, telemetry().metrics)
}

fn key() -> StoredKey {
    StoredKey::generate(Cipher::Aes256, &SystemRandom, Timestamp::now(), "me").unwrap()
}

#[tokio::test]
async fn keys_have_the_documented_form() {
    let world = World::new().await;
    let cache = cache(world.store().await);
    let key = key();
    cache.create("my-key", &key).await.unwrap();
    let text = world.aws.secret("my-key").unwrap();
    assert_eq!(text.as_bytes(), key.encode().as_bytes());
    assert_eq!(cache.fetch("my-key").await.unwrap().id(), key.id());
}

/// With the vendor's own command line.
#[tokio::test]
async fn keys_are_read_and_written_by_others() {
    let Some(moto) = Moto::start().await.unwrap() else {
        return;
    };
    let config = config(moto.url().to_owned(), Moto::REGION, &AwsKeys::default());
    let store = open(&config).await.unwrap();
    let legacy = ["--name", "legacy", "--secret-string", LEGACY];
    let create = ["secretsmanager", "create-secret"];
    moto.aws(&[&create[..], &legacy].concat()).unwrap();
    assert_eq!(*store.get("legacy").await.unwrap(), *LEGACY.as_bytes());

    let cache = cache(store);
    let key = key();
    cache.create("my-key", &key).await.unwrap();
    let read = [
        "secretsmanager",
        "get-secret-value",
        "--secret-id",
        "my-key",
    ];
    let secret = moto.aws(&read).unwrap();
    let text = String::from_utf8(key.encode().as_bytes().to_vec()).unwrap();
    assert_eq!(secret["SecretString"], json!(text));
    assert_eq!(secret["VersionStages"], json!(["AWSCURRENT"]));

    let legacy = cache.fetch("legacy").await.unwrap();
    assert_eq!(legacy.cipher(), Cipher::Aes256);
    assert!(legacy.hmac(b"message").is_err());

    // Somebody else's deletion can be undone for a while.
    let delete = ["secretsmanager", "delete-secret", "--secret-id", "my-key"];
    moto.aws(&delete).unwrap();
    let store = open(&config).await.unwrap();
    let gone = store.get("my-key").await;
    assert!(matches!(gone, Err(Error::Failed(_))), "{gone:?}");
    assert_eq!(store.list("", "", 9).await.unwrap(), ["legacy"]);
}

#[tokio::test]
async fn values_written_by_hand_are_kept_byte_for_byte() {
    let world = World::new().await;
    let store = world.store().await;
    for text in [LEGACY, " x\r\n", "é"] {
        world.aws.put_secret("key", text);
        assert_eq!(*store.get("key").await.unwrap(), *text.as_bytes());
    }
    world.aws.put_binary("key", "AAEC/w==");
    assert_eq!(*store.get("key").await.unwrap(), [0, 1, 2, 255]);
}

#[tokio::test]
async fn secrets_that_are_no_keys_are_not_listed() {
    let world = World::new().await;
    let store = world.store().await;
    for name in ["a", "rds/password", "-", "b.c", "z_1", "gone", "me@home"] {
        world.aws.put_secret(name, "value");
    }
    world.aws.schedule_deletion("gone");
    world.actions();
    let names = store.list("", "", usize::MAX).await.unwrap();
    assert_eq!(names, ["a", "z_1"]);
    // Four on a page.
    assert_eq!(world.actions(), ["ListSecrets"; 2]);
}

#[tokio::test]
async fn the_kms_key_is_used() {
    let world = World::new().await;
    let mut config = world.config();
    world.store().await.create("default", b"x").await.unwrap();
    assert_eq!(world.aws.kms_key("default"), None);
    config.kms_key = Some("alias/kes".to_owned());
    let store = open(&config).await.unwrap();
    store.create("key", b"x").await.unwrap();
    assert_eq!(world.aws.kms_key("key").as_deref(), Some("alias/kes"));

    world.aws.set(|settings| settings.kms_keys.clear());
    let error = store.get("key").await.unwrap_err();
    assert!(matches!(error, Error::Failed(_)));
    assert_eq!(
        told(&error),
        "key store failed: aws: GetSecretValue: DecryptionFailure: Secrets Manager can't decrypt \
         the protected secret text using the provided KMS key. (cannot access the secret: look at \
         the state and the policy of the KMS key)"
    );
    let error = store.create("other", b"x").await.unwrap_err();
    assert!(matches!(error, Error::Denied(_)));
}

#[tokio::test]
async fn a_secret_that_is_scheduled_for_deletion_is_neither_there_nor_free() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    world.aws.schedule_deletion("key");
    for result in [
        store.get("key").await.map(drop),
        store.create("key", b"other").await,
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Failed(_)));
        let text = told(&error);
        assert!(text.contains("aws secretsmanager restore-secret"), "{text}");
    }
    store.delete("key").await.unwrap();
    store.create("key", b"other").await.unwrap();
}
