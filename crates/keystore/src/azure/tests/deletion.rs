use super::*;

#[tokio::test]
async fn a_key_is_deleted_for_good() {
    let world = World::new().await;
    let store = world.store();
    store.create("key", b"value").await.unwrap();
    for (to_delete, to_purge) in [(0, 0), (2, 0), (0, 2), (2, 3)] {
        world.azure.set(|settings| {
            settings.polls_to_delete = to_delete;
            settings.polls_to_purge = to_purge;
        });
        store.delete("key").await.unwrap();
        assert!(!world.azure.is_deleted("key"));
        assert!(matches!(store.get("key").await, Err(Error::KeyNotFound)));
        store.create("key", b"value").await.unwrap();
        assert!(*store.get("key").await.unwrap() == b"value");
    }
}

#[tokio::test]
async fn an_absent_key_can_be_deleted() {
    let world = World::new().await;
    world.store().delete("key").await.unwrap();
}

/// The service takes its time; the next create of the name purges what is left.
#[tokio::test]
async fn a_deletion_that_takes_long_is_a_success() {
    let world = World::new().await;
    let store = world.store();
    store.create("key", b"old").await.unwrap();
    world.azure.set(|settings| settings.polls_to_delete = 12);
    store.delete("key").await.unwrap();
    assert!(world.azure.is_deleted("key"));
    assert!(matches!(store.get("key").await, Err(Error::KeyNotFound)));
    assert_eq!(store.list("", "", 9).await.unwrap(), [""; 0]);
    store.create("key", b"new").await.unwrap();
    assert!(*store.get("key").await.unwrap() == b"new");
}

/// By an operator, or by a server that was not allowed to purge.
#[tokio::test]
async fn a_deleted_secret_of_the_name_is_purged() {
    let world = World::new().await;
    let store = world.store();
    store.create("key", b"old").await.unwrap();
    world.azure.soft_delete("key");
    assert!(matches!(store.get("key").await, Err(Error::KeyNotFound)));
    store.create("key", b"new").await.unwrap();
    assert!(*store.get("key").await.unwrap() == b"new");
    world.azure.soft_delete("key");
    store.delete("key").await.unwrap();
    assert!(!world.azure.is_deleted("key"));
}

#[tokio::test]
async fn without_the_right_to_purge_the_reason_is_told() {
    let world = World::new().await;
    let store = world.store();
    store.create("key", b"value").await.unwrap();
    world.azure.set(|settings| {
        settings.denied.insert("purge");
    });
    for outcome in [
        store.delete("key").await,
        store.create("key", b"value").await,
    ] {
        let error = outcome.unwrap_err();
        assert!(matches!(error, Error::Denied(_)), "{error:?}");
        let cause = cause(error);
        assert!(cause.starts_with("azure: 403 ForbiddenByRbac: "), "{cause}");
        assert!(cause.contains("purge"), "{cause}");
    }
}

#[tokio::test]
async fn denials_are_told_from_missing_keys() {
    let world = World::new().await;
    let store = world.store();
    store.create("key", b"value").await.unwrap();
    for right in ["get", "list", "set", "delete"] {
        world.azure.set(|settings| {
            settings.denied = [right].into();
            settings.denial = "ForbiddenByPolicy";
        });
        let outcomes = [
            ("get list", store.get("key").await.map(drop)),
            ("list", store.list("", "", 9).await.map(drop)),
            ("get set list", store.create("new", b"value").await),
            ("delete list", store.delete("key").await),
        ];
        for (needed, outcome) in outcomes {
            let denied = matches!(outcome, Err(Error::Denied(_)));
            assert_eq!(denied, needed.contains(right), "{needed}: {outcome:?}");
        }
        world.azure.set(|settings| settings.denied.clear());
        store.delete("new").await.unwrap();
        if store.get("key").await.is_err() {
            store.create("key", b"value").await.unwrap();
        }
    }
}
