//! Everything that can come between the two steps of a create.

use std::sync::Arc;
use std::time::Duration;

use keystead_doubles::Fault;
use tokio::time::{sleep, timeout};

use super::{World, refusal, says};
use crate::{Error, KeyStore};

const ADVICE: &str = "delete it with 'kes key rm key' or 'gcloud secrets delete key --project \
                      my-project', and create the key again";

#[tokio::test]
async fn a_name_whose_value_is_refused_is_free_again() {
    let world = World::new().await;
    let store = world.store().await;
    let refusals = [
        (429, "RESOURCE_EXHAUSTED", "Quota exceeded."),
        (400, "INVALID_ARGUMENT", "Too long."),
        (409, "ABORTED", "Try again."),
    ];
    for (status, code, message) in refusals {
        world.fault(1, ":addVersion", refusal(status, code, message));
        let error = store.create("key", b"value").await.unwrap_err();
        assert!(matches!(error, Error::Failed(_)), "{error:?}");
        says(&error, &[&format!("gcp: versions.add: {code}: {message}")]);
        assert_eq!(world.gcp.versions("key"), None);
    }
    let denied = vec!["secretmanager.versions.add"];
    world.gcp.set(|settings| settings.denied = denied);
    let error = store.create("key", b"value").await.unwrap_err();
    assert!(matches!(error, Error::Denied(_)), "{error:?}");
    assert_eq!(world.gcp.versions("key"), None);

    world.gcp.set(|settings| settings.denied = Vec::new());
    store.create("key", b"value").await.unwrap();
    assert_eq!(*store.get("key").await.unwrap(), b"value");
}

/// What is deleted is the secret that this create has made and none that came later.
#[tokio::test]
async fn a_name_is_given_back_with_its_etag() {
    let world = World::new().await;
    let store = world.store().await;
    world.fault(1, ":addVersion", refusal(400, "INVALID_ARGUMENT", "No."));
    store.create("key", b"value").await.unwrap_err();
    let asked = world.server.journal().take();
    let delete = asked.iter().find(|request| request.method() == "DELETE");
    let query = delete.unwrap().uri().query().unwrap();
    assert!(query.starts_with("etag=%22"), "{query}");

    // An operator's delete needs none.
    store.create("key", b"value").await.unwrap();
    world.server.journal().take();
    store.delete("key").await.unwrap();
    let asked = world.server.journal().take();
    assert_eq!(asked[0].uri().query(), None);
}

#[tokio::test]
async fn a_value_that_arrived_without_an_answer_has_arrived() {
    let world = World::new().await;
    let store = world.store().await;
    for times in 1..=3 {
        world.gcp.clear();
        world.fault(times, ":addVersion", Fault::LoseAnswer);
        store.create("key", b"value").await.unwrap();
        assert_eq!(*store.get("key").await.unwrap(), b"value");
        let error = store.create("key", b"other").await.unwrap_err();
        assert!(matches!(error, Error::KeyExists), "{error:?}");
    }
}

/// Somebody who puts a value by hand into a secret that is still being created.
#[tokio::test]
async fn the_value_of_somebody_else_is_not_claimed() {
    let world = World::impatient().await;
    let store = Arc::new(world.store().await);
    world.fault(1, ":addVersion", Fault::Hang);
    let create = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.create("key", b"value").await }
    });
    while world.server.journal().count(":addVersion") == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    world.gcp.add_version("key", b"other");
    let error = create.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::KeyExists), "{error:?}");
    assert_eq!(*store.get("key").await.unwrap(), b"other");
}

#[tokio::test]
async fn a_name_that_cannot_be_given_back_is_told_to_the_operator() {
    let world = World::new().await;
    let store = world.store().await;
    let denied = vec!["secretmanager.versions.add", "secretmanager.secrets.delete"];
    world.gcp.set(|settings| settings.denied = denied);
    let error = store.create("key", b"value").await.unwrap_err();
    assert!(matches!(error, Error::Denied(_)), "{error:?}");
    says(
        &error,
        &[
            "gcp: versions.add: PERMISSION_DENIED: ",
            "it could not be deleted: gcp: secrets.delete: PERMISSION_DENIED: ",
            ADVICE,
        ],
    );
    assert_eq!(world.gcp.versions("key"), Some(0));

    // Nobody can tell whether there is a value, so nothing is deleted.
    world.gcp.set(|settings| settings.denied = Vec::new());
    store.delete("key").await.unwrap();
    world.fault(3, ":addVersion", Fault::Drop);
    world.fault(3, "/versions/1:access", Fault::Drop);
    let error = store.create("key", b"value").await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    says(&error, &["gcp: versions.add: ", ADVICE]);
    assert_eq!(world.gcp.versions("key"), Some(0));
}

/// A crash between the two steps, and its cure.
#[tokio::test]
async fn a_name_without_a_value_is_neither_key_nor_free() {
    let world = World::new().await;
    let store = world.store().await;
    world.gcp.put_secret("key", None);
    let error = store.create("key", b"value").await.unwrap_err();
    assert!(matches!(error, Error::KeyExists), "{error:?}");
    world.log.says("has no first version").await;
    world.log.says(ADVICE).await;
    let error = store.get("key").await.unwrap_err();
    assert!(matches!(error, Error::KeyNotFound), "{error:?}");
    assert_eq!(store.list("", "", usize::MAX).await.unwrap(), ["key"]);

    store.delete("key").await.unwrap();
    store.create("key", b"value").await.unwrap();
    assert_eq!(*store.get("key").await.unwrap(), b"value");
}

#[tokio::test]
async fn a_name_that_was_perhaps_taken_is_not_taken_back() {
    let world = World::new().await;
    let store = world.store().await;
    for fault in [
        Fault::LoseAnswer,
        Fault::Cut,
        refusal(503, "UNAVAILABLE", "Sorry."),
    ] {
        world.server.journal().take();
        world.fault(1, "/secrets", fault);
        let error = store.create("key", b"value").await.unwrap_err();
        says(&error, &["gcp: secrets.create: ", ADVICE]);
        // It was asked for once, and nothing else was done.
        assert_eq!(world.server.journal().count("/"), 1);
        world.gcp.clear();
    }
    // This was not sent to anybody.
    let mut world = world;
    world.server.kill().await;
    let error = store.create("key", b"value").await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    assert!(!super::told(&error).contains(ADVICE), "{error:?}");
}

#[tokio::test]
async fn a_create_that_nobody_waits_for_is_completed() {
    let world = World::new().await;
    let store = world.store().await;
    let slow = Fault::Slow(Duration::from_millis(1));
    world.fault(1, ":addVersion", slow);
    world.fault(1, "/secrets", Fault::Slow(Duration::from_millis(1)));
    let started = async {
        while world.server.journal().count("/secrets") == 0 {
            sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        biased;
        () = started => {}
        _ = store.create("key", b"value") => panic!("it was not slow"),
    }
    timeout(Duration::from_secs(10), store.close())
        .await
        .unwrap();
    assert_eq!(world.gcp.data("key", 1).unwrap(), b"value");
}
