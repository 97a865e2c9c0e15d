use std::fs;
use std::path::Path;
use std::time::Duration;

use http::StatusCode;
use keystead_config::SecretSource;
use keystead_config::kes::{ClientCertificate, EngineVersion};
use keystead_doubles::{Authority, Fault, Tls};
use tokio::time::{Instant, timeout};

use super::{World, open, secret, told};
use crate::{Error, KeyStore};

/// Tries again, until a second try after a failure that passes would be too late.
async fn eventually(mut done: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(10), waiting).await.unwrap();
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    let answer = |status| Fault::Answer(StatusCode::from_u16(status).unwrap(), String::new());
    let read = async |fault: Fault| {
        world.server.faults().plan(1, "/key", fault);
        world.server.journal().take();
        let result = store.get("key").await;
        assert_eq!(world.server.journal().count("/key"), 2);
        assert_eq!(*result.unwrap(), *b"value");
    };
    // Each of them waits for a second.
    tokio::join!(async {
        for fault in [answer(412), answer(500), Fault::Drop] {
            read(fault).await;
        }
    });
    world.server.faults().plan(1, "/key", answer(501));
    world.server.journal().take();
    assert!(matches!(store.get("key").await, Err(Error::Failed(_))));
    assert_eq!(world.server.journal().count("/key"), 1);
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_has_succeeded() {
    let world = World::new().await;
    for version in [EngineVersion::V1, EngineVersion::V2] {
        let store = open(&world.config(version)).await.unwrap();
        let path = match version {
            EngineVersion::V1 => "/kv1/key",
            EngineVersion::V2 => "/kv/data/key",
        };
        // The look before the write has the same path.
        assert!(matches!(store.get("key").await, Err(Error::KeyNotFound)));
        let answer = Fault::Answer(StatusCode::NOT_FOUND, r#"{"errors":[]}"#.to_owned());
        world.server.faults().plan(1, path, answer);
        world.server.faults().plan(1, path, Fault::LoseAnswer);
        store.create("key", b"value").await.unwrap();
        assert_eq!(*store.get("key").await.unwrap(), *b"value");
        let other = store.create("key", b"value").await;
        assert!(matches!(other, Err(Error::KeyExists)));
    }
}

#[tokio::test]
async fn a_rival_between_look_and_write_is_noticed() {
    let world = World::new().await;
    for version in [EngineVersion::V1, EngineVersion::V2] {
        for may_update in [false, true] {
            world.vault.set(|settings| settings.may_update = may_update);
            let store = open(&world.config(version)).await.unwrap();
            store.create("taken", b"value").await.unwrap();
            let answer = Fault::Answer(StatusCode::NOT_FOUND, r#"{"errors":[]}"#.to_owned());
            world.server.faults().plan(1, "taken", answer);
            let result = store.create("taken", b"other").await;
            // Nothing keeps version 1 from overwriting but the policy.
            if version == EngineVersion::V2 || !may_update {
                assert!(matches!(result, Err(Error::KeyExists)), "{result:?}");
                assert_eq!(*store.get("taken").await.unwrap(), *b"value");
            }
            store.delete("taken").await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_redirect_is_followed_once_with_everything() {
    let world = World::new().await;
    let active = World::new().await;
    let store = world.store().await;
    let there = active.store().await;
    there.create("key", b"value").await.unwrap();
    active.vault.set(|_| {});
    world
        .server
        .faults()
        .plan(1, "/key", Fault::Redirect(active.server.url()));
    // Both give out the same tokens.
    assert_eq!(*store.get("key").await.unwrap(), *b"value");

    let secure = World::with(Tls::On).await;
    let mut config = secure.config(EngineVersion::V2);
    config.tls.ca = Some(SecretSource::File(secure.authority.file()));
    let store = open(&config).await.unwrap();
    active.server.journal().take();
    secure
        .server
        .faults()
        .plan(1, "/key", Fault::Redirect(active.server.url()));
    let error = store.get("key").await.unwrap_err();
    assert!(
        told(&error).contains("which is not followed"),
        "{}",
        told(&error)
    );
    assert_eq!(active.server.journal().count("/key"), 0);
}

#[tokio::test]
async fn a_sealed_server_is_asked_for_nothing() {
    let world = World::new().await;
    let mut config = world.config(EngineVersion::V2);
    config.status_ping = Duration::from_millis(20);
    let store = open(&config).await.unwrap();
    store.create("key", b"value").await.unwrap();
    world.vault.set(|settings| settings.sealed = true);
    let asked = Instant::now();
    for error in [
        store.get("key").await.unwrap_err(),
        store.status().await.unwrap_err(),
        store.create("other", b"value").await.unwrap_err(),
        store.list("", "", 1).await.unwrap_err(),
        store.delete("key").await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::Unreachable(_)));
        assert!(told(&error).contains("key store is sealed"));
    }
    assert!(asked.elapsed() < Duration::from_secs(1));
    world.server.journal().take();
    assert!(store.get("key").await.is_err());
    assert_eq!(world.server.journal().count("/key"), 0);
    world.vault.set(|settings| settings.sealed = false);
    eventually(async || store.get("key").await.is_ok()).await;

    world.vault.set(|settings| settings.initialized = false);
    let error = store.status().await.unwrap_err();
    assert!(told(&error).contains("not initialised"), "{}", told(&error));
}

#[tokio::test]
async fn a_server_that_hangs_takes_a_bounded_time() {
    let world = World::new().await;
    let store = world.store().await;
    world.server.faults().plan(usize::MAX, "/", Fault::Hang);
    let asked = Instant::now();
    let (read, status) = tokio::join!(store.get("key"), store.status());
    assert!(matches!(read, Err(Error::Unreachable(_))));
    assert!(matches!(status, Err(Error::Unreachable(_))));
    assert!(asked.elapsed() < Duration::from_secs(14));
    world.server.faults().clear();
    assert!(store.status().await.is_ok());
    assert!(matches!(store.get("key").await, Err(Error::KeyNotFound)));
}

#[tokio::test]
async fn polls_share_one_connection() {
    let world = World::new().await;
    let store = world.store().await;
    for _ in 0..10_000 {
        store.status().await.unwrap();
    }
    assert!(world.server.accepted() <= 3, "{}", world.server.accepted());
}

#[tokio::test]
async fn certificates_are_shown_and_demanded() {
    let world = World::with(Tls::Mutual).await;
    let (cert, key) = world.authority.client().unwrap();
    let text = |path: &Path| secret(&fs::read_to_string(path).unwrap());
    let file = |path: &Path| SecretSource::File(path.to_owned());
    let mut config = world.config(EngineVersion::V2);
    config.tls.ca = Some(file(&world.authority.file()));
    assert!(matches!(open(&config).await, Err(Error::Unreachable(_))));
    config.tls.identity = Some(ClientCertificate {
        cert: file(&cert),
        key: file(&key),
    });
    open(&config).await.unwrap();
    config.tls.ca = Some(text(&world.authority.file()));
    config.tls.identity = Some(ClientCertificate {
        cert: text(&cert),
        key: text(&key),
    });
    open(&config).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    fs::copy(world.authority.file(), folder.path().join("a.pem")).unwrap();
    config.tls.ca = Some(file(folder.path()));
    open(&config).await.unwrap();

    let other = Authority::new().unwrap();
    config.tls.ca = Some(file(&other.file()));
    let error = open(&config).await.err().unwrap();
    assert!(matches!(error, Error::Unreachable(_)), "{}", told(&error));
    for ca in [file(&folder.path().join("none")), secret("no PEM")] {
        config.tls.ca = Some(ca);
        let error = open(&config).await.err().unwrap();
        assert!(matches!(error, Error::Failed(_)), "{}", told(&error));
    }
}
