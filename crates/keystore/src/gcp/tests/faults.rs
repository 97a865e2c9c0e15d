use std::time::Duration;

use http::StatusCode;
use keystead_doubles::{Authority, Fault, Tls};
use keystead_rest::Limits;
use tokio::time::Instant;

use super::{World, refusal, says, told};
use crate::{Error, KeyStore};

/// What becomes of every request, as an error.
async fn outcomes(store: &impl KeyStore) -> Vec<Error> {
    vec![
        store.create("other", b"value").await.unwrap_err(),
        store.get("key").await.unwrap_err(),
        store.delete("key").await.unwrap_err(),
        store.list("", "", 1).await.unwrap_err(),
    ]
}

#[tokio::test]
async fn a_service_that_is_away_is_unreachable_and_then_back_at_once() {
    let mut world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    world.server.kill().await;
    let mut errors = outcomes(&store).await;
    errors.push(store.status().await.unwrap_err());
    for error in errors {
        assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
        says(&error, &[&world.server.url(), "onnection refused"]);
    }
    world.server.restart().await.unwrap();
    store.status().await.unwrap();
    assert_eq!(*store.get("key").await.unwrap(), b"value");
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    for fault in [
        Fault::Drop,
        Fault::Cut,
        refusal(503, "UNAVAILABLE", "The service is currently unavailable."),
    ] {
        world.server.journal().take();
        world.fault(1, "/key", fault);
        assert_eq!(*store.get("key").await.unwrap(), b"value");
        assert_eq!(world.server.journal().count("/key"), 2);
    }
}

#[tokio::test]
async fn a_service_that_fails_is_not_unreachable() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    world.fault(3, "/key", refusal(503, "UNAVAILABLE", "Sorry."));
    let error = store.get("key").await.unwrap_err();
    assert!(matches!(error, Error::Failed(_)), "{error:?}");
    says(&error, &["gcp: versions.access: UNAVAILABLE: Sorry."]);

    world.server.journal().take();
    let quota = "Quota exceeded for quota metric 'Access requests'";
    world.fault(1, "/key", refusal(429, "RESOURCE_EXHAUSTED", quota));
    let error = store.get("key").await.unwrap_err();
    assert!(matches!(error, Error::Failed(_)), "{error:?}");
    says(&error, &[quota, "(a quota of the project is used up)"]);
    assert_eq!(world.server.journal().count("/key"), 1);
}

/// Told that a key does not exist, clients create it anew.
#[tokio::test]
async fn only_the_api_itself_can_say_that_a_key_does_not_exist() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    let html = "<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>";
    for fault in [
        Fault::Answer(StatusCode::NOT_FOUND, String::new()),
        Fault::Page(StatusCode::NOT_FOUND, "text/html", html.into()),
        Fault::Answer(StatusCode::NOT_FOUND, r#"{"error":"not found"}"#.into()),
        Fault::Answer(StatusCode::NOT_FOUND, r#"{"error":{"code":404}}"#.into()),
    ] {
        world.fault(1, "/key", fault.clone());
        let error = store.get("key").await.unwrap_err();
        assert!(matches!(error, Error::Failed(_)), "{fault:?}: {error:?}");
        world.fault(1, "/key", fault.clone());
        let error = store.delete("key").await.unwrap_err();
        assert!(matches!(error, Error::Failed(_)), "{fault:?}: {error:?}");
    }
    world.fault(1, "/key", Fault::Answer(StatusCode::NOT_FOUND, html.into()));
    let error = store.get("key").await.unwrap_err();
    says(
        &error,
        &["404 Not Found: not an answer of Secret Manager (look at 'endpoint', and at proxies"],
    );
}

#[tokio::test]
async fn answers_that_make_no_sense_are_failures() {
    let world = World::new().await;
    let store = world.store().await;
    let answer = |body: String| Fault::Answer(StatusCode::OK, body);
    for body in [
        String::new(),
        "value-of-a-key".into(),
        r#"{"payload":{"data":"value-of-a-key!"}}"#.into(),
        r#"{"payload":{"data":7}}"#.into(),
        format!(r#"{{"payload":{{"data":"{}"}}}}"#, "A".repeat(300_000)),
    ] {
        world.fault(1, "/key", answer(body));
        let error = store.get("key").await.unwrap_err();
        assert!(matches!(error, Error::Failed(_)), "{error:?}");
        assert!(!told(&error).contains("value-of-a-key"), "{error:?}");
    }
    for body in ["", "[]", r#"{"secrets":{}}"#] {
        world.fault(1, "/secrets", answer(body.into()));
        let error = store.list("", "", 1).await.unwrap_err();
        assert!(matches!(error, Error::Failed(_)), "{body}: {error:?}");
    }
    assert!(store.list("", "", 1).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_service_that_hangs_takes_a_bounded_time() {
    let world = World::impatient().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    world.fault(usize::MAX, "/", Fault::Hang);
    let asked = Instant::now();
    let mut errors = outcomes(&store).await;
    errors.push(store.status().await.unwrap_err());
    for error in errors {
        assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
        says(&error, &["no answer within"]);
    }
    assert!(asked.elapsed() < 5 * world.limits.call);
    world.server.faults().clear();
    let well = Instant::now();
    store.status().await.unwrap();
    assert_eq!(*store.get("key").await.unwrap(), b"value");
    assert!(well.elapsed() < Duration::from_secs(1));
}

/// A list that would never end.
#[tokio::test]
async fn a_list_takes_a_bounded_time() {
    let mut world = World::new().await;
    world.limits = Limits {
        call: Duration::from_millis(500),
        ..Limits::default()
    };
    let store = world.store().await;
    let page = r#"{"secrets":[{"name":"projects/1/secrets/key"}],"nextPageToken":"again"}"#;
    let page = Fault::Answer(StatusCode::OK, page.into());
    world.fault(usize::MAX, "/secrets", page);
    let error = store.list("", "", 1).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    says(&error, &["no answer within 500ms"]);
}

#[tokio::test]
async fn what_is_missing_is_told() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    let permissions = [
        "secretmanager.secrets.create",
        "secretmanager.versions.access",
        "secretmanager.secrets.delete",
        "secretmanager.secrets.list",
    ];
    world
        .gcp
        .set(|settings| settings.denied = permissions.into());
    for (error, permission) in outcomes(&store).await.iter().zip(permissions) {
        assert!(matches!(error, Error::Denied(_)), "{error:?}");
        says(
            error,
            &[
                &format!("PERMISSION_DENIED: Permission '{permission}' denied for resource "),
                "(give the server's account the permission on the project",
            ],
        );
    }
    world.gcp.set(|settings| settings.denied = Vec::new());
    world.gcp.set(|settings| settings.api_enabled = false);
    for error in outcomes(&store).await {
        assert!(matches!(error, Error::Denied(_)), "{error:?}");
        says(&error, &["Secret Manager API has not been used in project"]);
    }
}

/// A redirect could lead the token and the value anywhere.
#[tokio::test]
async fn redirects_are_not_followed() {
    let world = World::new().await;
    let other = World::new().await;
    let store = world.store().await;
    world.fault(1, "/key", Fault::Redirect(other.server.url()));
    let error = store.get("key").await.unwrap_err();
    assert!(matches!(error, Error::Failed(_)), "{error:?}");
    says(&error, &["307 Temporary Redirect: not an answer of Secret"]);
    assert_eq!(other.server.journal().count("/"), 0);
}

#[tokio::test]
async fn a_certificate_of_somebody_else_is_not_accepted() {
    let mut world = World::with(Tls::On).await;
    world.authority = Authority::new().unwrap();
    let error = world.open(&world.config()).await.err().unwrap();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    says(&error, &["invalid peer certificate"]);
}
