use std::fs;

use tempfile::TempDir;

use super::*;
use crate::node::HsmError;

/// Waits until all records are under one root key.
async fn settled(store: &Store) {
    while store.status().root_keys > 1 {
        assert_eq!(store.check(), Ok(()));
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_moves_all_records_while_keys_are_made() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    store.propose(create_enclave()).await.unwrap();
    let mut names = create_at_once(&store, "before", 2500).await;
    let before = store.status().root_key;

    let creating = {
        let store = store.clone();
        tokio::spawn(async move { create_at_once(&store, "meanwhile", 500).await })
    };
    let after = store.rotate_root().await.unwrap();
    assert_ne!(before, after);
    assert_eq!(store.status().root_key, after);
    let again = store.rotate_root().await;
    assert!(matches!(again, Ok(_) | Err(HsmError::Rotating)));
    names.extend(creating.await.unwrap());
    settled(&store).await;
    let digest = store.status().digest;
    store.close().await;

    // Nothing is sealed under the first key any more, and nobody could open it.
    let seal = fs::read_to_string(folder.path().join("seal.json")).unwrap();
    assert!(!seal.contains(&before.to_string()));
    let store = open(folder.path()).await;
    assert_eq!(store.status().digest, digest);
    for name in &names {
        assert!(has_key(&store.state(), name));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_rotation_goes_on_at_the_next_start() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    store.propose(create_enclave()).await.unwrap();
    let names = create_at_once(&store, "key", 3000).await;
    let digest = store.status().digest;
    // Closed before the background work came to its end, as a rule.
    let new = store.rotate_root().await.unwrap();
    store.close().await;

    let store = open(folder.path()).await;
    assert_eq!(store.status().digest, digest);
    assert_eq!(store.status().root_key, new);
    settled(&store).await;
    store.close().await;
    let store = open(folder.path()).await;
    assert_eq!(store.status().root_keys, 1);
    for name in &names {
        assert!(has_key(&store.state(), name));
    }
}
