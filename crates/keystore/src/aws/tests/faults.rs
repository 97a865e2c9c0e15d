use std::time::Duration;

use http::StatusCode;
use keystead_doubles::{Fault, Moto};
use tokio::time::{Instant, timeout};

use super::{World, config, open, refusal, told};
use crate::{AwsStore, Error, KeyStore};

/// Tries again, until it would be too late.
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
    for fault in [
        refusal(500, "InternalServiceError", "sorry"),
        refusal(400, "ThrottlingException", "Rate exceeded"),
        Fault::Page(StatusCode::BAD_GATEWAY, "text/html", "<html>".into()),
        Fault::Drop,
        Fault::Cut,
    ] {
        world.actions();
        world.plan(2, "GetSecretValue", fault.clone());
        assert_eq!(*store.get("key").await.unwrap(), *b"value", "{fault:?}");
        assert_eq!(world.actions(), ["GetSecretValue"; 3], "{fault:?}");
    }
}

#[tokio::test]
async fn what_lasts_is_a_failure() {
    let world = World::new().await;
    let store = world.store().await;
    for (fault, text) in [
        (
            refusal(500, "InternalServiceError", "sorry"),
            "InternalServiceError: sorry",
        ),
        (
            refusal(400, "ThrottlingException", "Rate exceeded"),
            "ThrottlingException: Rate exceeded",
        ),
        (
            Fault::Page(
                StatusCode::SERVICE_UNAVAILABLE,
                "text/html",
                "<html>\n no".into(),
            ),
            "HTTP status 503: <html> no",
        ),
    ] {
        world.actions();
        world.plan(4, "GetSecretValue", fault);
        let start = Instant::now();
        let error = store.get("key").await.unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(10));
        assert!(matches!(error, Error::Failed(_)), "{error:?}");
        let expected = format!("key store failed: aws: GetSecretValue: {text}");
        assert_eq!(told(&error), expected);
        assert_eq!(world.actions(), ["GetSecretValue"; 4]);
    }
    for (fault, text) in [
        (
            Fault::Page(StatusCode::OK, "text/html", "<html>".into()),
            "the answer cannot be understood",
        ),
        (
            refusal(404, "UnknownOperationException", ""),
            "UnknownOperationException: ",
        ),
        (
            Fault::Answer(StatusCode::NOT_FOUND, String::new()),
            "HTTP status 404: ",
        ),
    ] {
        world.actions();
        world.plan(1, "GetSecretValue", fault);
        let error = store.get("key").await.unwrap_err();
        assert!(matches!(error, Error::Failed(_)), "{error:?}");
        assert_eq!(
            told(&error),
            format!("key store failed: aws: GetSecretValue: {text}")
        );
        assert_eq!(world.actions(), ["GetSecretValue"]);
    }
}

/// The service tells by the request token that it is the same create.
#[tokio::test]
async fn a_create_whose_answer_was_lost_has_succeeded() {
    let world = World::new().await;
    let store = world.store().await;
    world.plan(2, "CreateSecret", Fault::LoseAnswer);
    store.create("key", b"value").await.unwrap();
    assert_eq!(world.actions(), ["CreateSecret"; 3]);
    let again = store.create("key", b"value").await;
    assert!(matches!(again, Err(Error::KeyExists)), "{again:?}");
    world.plan(1, "DeleteSecret", Fault::LoseAnswer);
    store.delete("key").await.unwrap();
}

/// Only a secret that is asked for can be missing as a key.
#[tokio::test]
async fn something_else_that_is_missing_is_no_missing_key() {
    let world = World::new().await;
    let store = world.store().await;
    let missing = || refusal(400, "ResourceNotFoundException", "no such KMS key");
    world.plan(1, "CreateSecret", missing());
    let created = store.create("key", b"value").await;
    assert!(matches!(created, Err(Error::Failed(_))), "{created:?}");
    world.plan(1, "ListSecrets", missing());
    let listed = store.list("", "", 1).await;
    assert!(matches!(listed, Err(Error::Failed(_))), "{listed:?}");
}

#[tokio::test]
async fn a_list_that_does_not_end_is_a_failure() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    world.aws.set(|settings| settings.lists_without_end = true);
    let error = store.list("", "", 9).await.unwrap_err();
    assert_eq!(told(&error), "key store failed: aws: the list does not end");
}

#[tokio::test]
async fn silence_is_waited_for_within_limits() {
    let world = World::new().await;
    let store = world.hasty().await;
    store.create("key", b"value").await.unwrap();
    world.plan(usize::MAX, "", Fault::Hang);
    let start = Instant::now();
    assert!(matches!(store.status().await, Err(Error::Unreachable(_))));
    assert!(start.elapsed() < Duration::from_millis(600));
    for outcome in [
        store.get("key").await.map(drop),
        store.create("other", b"value").await,
        store.delete("other").await,
        store.list("", "", 9).await.map(drop),
    ] {
        assert!(matches!(outcome, Err(Error::Unreachable(_))), "{outcome:?}");
    }
    assert!(start.elapsed() < Duration::from_secs(5));
    world.endpoint.faults().clear();
    let start = Instant::now();
    assert_eq!(*store.get("key").await.unwrap(), *b"value");
    assert!(start.elapsed() < Duration::from_millis(300));
}

#[tokio::test]
async fn a_service_that_is_away_comes_back() {
    let mut world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    world.endpoint.kill().await;
    let start = Instant::now();
    for outcome in [
        store.status().await.map(drop),
        store.get("key").await.map(drop),
        store.create("other", b"value").await,
    ] {
        assert!(matches!(outcome, Err(Error::Unreachable(_))), "{outcome:?}");
        let text = told(&outcome.unwrap_err());
        assert!(text.contains("onnection refused"), "{text}");
    }
    assert!(start.elapsed() < Duration::from_secs(10));
    let start = open(&world.config()).await;
    assert!(matches!(start, Err(Error::Unreachable(_))));
    world.endpoint.restart().await.unwrap();
    store.status().await.unwrap();
    assert_eq!(*store.get("key").await.unwrap(), *b"value");
}

/// Any answer means that the service is there.
#[tokio::test]
async fn status_is_content_with_any_answer() {
    let world = World::new().await;
    let store = world.store().await;
    for status in [200, 403, 404, 500, 503] {
        let answer = Fault::Answer(StatusCode::from_u16(status).unwrap(), String::new());
        world.plan(1, "", answer);
        store.status().await.unwrap();
    }
}

#[tokio::test]
async fn a_dropped_call_leaves_all_or_nothing() {
    let world = World::new().await;
    let store = world.store().await;
    for fault in [Fault::Hang, Fault::Slow(Duration::from_millis(50))] {
        world.plan(1, "CreateSecret", fault);
        let create = store.create("key", b"value");
        assert!(timeout(Duration::from_millis(200), create).await.is_err());
        match store.get("key").await {
            Ok(value) => assert_eq!(*value, *b"value"),
            Err(error) => assert!(matches!(error, Error::KeyNotFound), "{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_frozen_server_thaws() {
    let Some(moto) = Moto::start().await.unwrap() else {
        return;
    };
    let keys = keystead_doubles::AwsKeys::default();
    let config = config(moto.url().to_owned(), Moto::REGION, &keys);
    let limits = keystead_rest::Limits {
        attempt: Duration::from_millis(500),
        call: Duration::from_secs(2),
    };
    let store = AwsStore::with(&config, super::telemetry(), limits)
        .await
        .unwrap();
    eventually(async || store.create("key", b"value").await.is_ok()).await;
    moto.freeze().unwrap();
    let start = Instant::now();
    assert!(matches!(store.status().await, Err(Error::Unreachable(_))));
    assert!(matches!(store.get("key").await, Err(Error::Unreachable(_))));
    assert!(start.elapsed() < Duration::from_secs(4));
    moto.thaw().unwrap();
    eventually(async || {
        store
            .get("key")
            .await
            .is_ok_and(|value| *value == *b"value")
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_that_is_no_url_is_refused() {
    let world = World::new().await;
    let mut config = world.config();
    for (endpoint, text) in [
        (
            "ftp://a",
            "invalid endpoint 'ftp://a': the scheme is not 'https'",
        ),
        (
            "https://user:word@a",
            "invalid endpoint 'a': credentials do not belong into the URL",
        ),
    ] {
        config.endpoint = endpoint.to_owned();
        let error = open(&config).await.err().unwrap();
        assert_eq!(told(&error), format!("key store failed: aws: {text}"));
    }
}
