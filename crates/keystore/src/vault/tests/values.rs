use keystead_config::kes::{EngineVersion, VaultConfig};
use serde_json::json;

use super::{World, open, told, transit};
use crate::{Error, KeyStore};

const LEGACY: &str = r#"{"bytes":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#;

#[tokio::test]
async fn entries_have_one_field_with_the_name_of_the_key() {
    let world = World::new().await;
    for version in [EngineVersion::V1, EngineVersion::V2] {
        let mut config = world.config(version);
        config.prefix = "a b/c".to_owned();
        config.namespace = Some("minio".to_owned());
        let store = open(&config).await.unwrap();
        store.create("k-1", b"CiYK").await.unwrap();
        let path = "a%20b/c/k-1";
        let entry = match version {
            EngineVersion::V1 => world.vault.v1_entry("minio", path),
            EngineVersion::V2 => world.vault.v2_entry("minio", path),
        };
        assert_eq!(entry, Some(json!({"k-1": "CiYK"})));
    }
}

#[tokio::test]
async fn entries_made_by_hand_are_read() {
    let world = World::new().await;
    let store = world.store().await;
    world
        .vault
        .put_v2("", "old", json!({"old": LEGACY, "comment": 1}));
    assert_eq!(*store.get("old").await.unwrap(), LEGACY.as_bytes());
    // What comes after the first version is ignored.
    world.vault.put_v2("", "old", json!({"old": "other"}));
    assert_eq!(*store.get("old").await.unwrap(), LEGACY.as_bytes());

    for fields in [json!({"key": "CiYK"}), json!({"odd": 7}), json!({})] {
        world.vault.put_v2("", "odd", fields);
        let error = store.get("odd").await.unwrap_err();
        assert!(matches!(error, Error::Failed(_)));
        assert!(
            told(&error).contains("no text field of that name"),
            "{}",
            told(&error)
        );
        let error = store.create("odd", b"value").await.unwrap_err();
        assert!(matches!(error, Error::Failed(_)));
        store.delete("odd").await.unwrap();
    }
}

#[tokio::test]
async fn a_deleted_version_is_not_found_and_blocks_its_name() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    world.vault.soft_delete("", "key");
    assert!(matches!(store.get("key").await, Err(Error::KeyNotFound)));
    let error = store.create("key", b"other").await.unwrap_err();
    assert!(
        told(&error).contains("kv metadata delete"),
        "{}",
        told(&error)
    );
    store.delete("key").await.unwrap();
    store.create("key", b"other").await.unwrap();
}

#[tokio::test]
async fn folders_and_foreign_entries_are_not_keys() {
    let world = World::new().await;
    let store = world.store().await;
    world
        .vault
        .put_v2("", "folder/key", json!({"key": "value"}));
    assert_eq!(store.list("", "", 10).await.unwrap(), [""; 0]);
    store.create("key", b"value").await.unwrap();
    assert_eq!(store.list("", "", 10).await.unwrap(), ["key"]);
}

#[tokio::test]
async fn a_wrong_engine_version_is_told_with_its_remedy() {
    let world = World::new().await;
    for (version, engine, configured, actual) in [
        (EngineVersion::V1, "kv", "v1", "v2"),
        (EngineVersion::V2, "kv1", "v2", "v1"),
    ] {
        let mut config = world.config(version);
        config.engine = engine.to_owned();
        let error = open(&config).await.err().unwrap();
        let expected = format!(
            "the K/V engine '{engine}' does not have version {configured}: \
             write 'version: {actual}'"
        );
        assert!(told(&error).contains(&expected), "{}", told(&error));
    }
    // A server that does not tell gives itself away by its answers.
    world
        .vault
        .set(|settings| settings.denied = vec!["sys/".to_owned()]);
    let mut config = world.config(EngineVersion::V1);
    config.engine = "kv".to_owned();
    let store = open(&config).await.unwrap();
    for error in [
        store.get("key").await.unwrap_err(),
        store.create("key", b"value").await.unwrap_err(),
    ] {
        assert!(
            told(&error).contains("write 'version: v2'"),
            "{}",
            told(&error)
        );
    }
}

#[tokio::test]
async fn an_engine_that_is_not_there_holds_no_answer() {
    let world = World::new().await;
    let mut config = world.config(EngineVersion::V2);
    config.engine = "none".to_owned();
    let store = open(&config).await.unwrap();
    for result in [
        store.get("key").await.map(drop),
        store.create("key", b"value").await,
        store.list("", "", 1).await.map(drop),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Failed(_)), "{}", told(&error));
        assert!(
            told(&error).contains("no handler for route"),
            "{}",
            told(&error)
        );
    }
}

#[tokio::test]
async fn a_transit_key_may_come_and_be_rotated() {
    let world = World::new().await;
    let plain = world.store().await;
    plain.create("plain", b"before").await.unwrap();
    let config = world.config(EngineVersion::V2);
    let wrapping = VaultConfig {
        transit: transit(),
        ..config
    };
    let store = open(&wrapping).await.unwrap();
    store.create("first", b"one").await.unwrap();
    world.vault.rotate("");
    store.create("second", b"two").await.unwrap();
    for (name, value, stored) in [
        ("plain", "before", "before"),
        ("first", "one", "vault:v1:"),
        ("second", "two", "vault:v2:"),
    ] {
        assert_eq!(*store.get(name).await.unwrap(), value.as_bytes());
        let entry = world.vault.v2_entry("", name).unwrap();
        assert!(entry[name].as_str().unwrap().starts_with(stored), "{entry}");
    }
    let error = plain.get("first").await.unwrap_err();
    assert!(told(&error).contains("key is encrypted with vault transit key"));
}
