use std::time::Duration;

use http::StatusCode;
use keystead_crypto::Secret;
use keystead_doubles::Fault;
use keystead_observe::Metrics;

use super::{World, refusal, says, told};
use crate::{Error, KeyStore};

const REJECTED: &str = "Request had invalid authentication credentials.";

/// Lets time pass for everything but the double.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

fn logins(metrics: &Metrics) -> String {
    let text = metrics.encode().unwrap();
    let mut lines = text.lines();
    let line = lines.find(|line| line.starts_with("keystead_keystore_logins_total "));
    line.unwrap().to_owned()
}

#[tokio::test]
async fn a_rejected_token_is_replaced_once() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    let rejection = || refusal(401, "UNAUTHENTICATED", REJECTED);

    // A new one would be no better.
    world.fault(1, "/key", rejection());
    let error = store.get("key").await.unwrap_err();
    assert!(matches!(error, Error::Denied(_)), "{error:?}");
    says(
        &error,
        &[
            "gcp: versions.access: UNAUTHENTICATED: Request had invalid",
            "(look whether the service account and its key still exist",
        ],
    );
    assert_eq!(*store.get("key").await.unwrap(), b"value");

    pass(Duration::from_secs(6)).await;
    world.server.journal().take();
    world.fault(1, "/key", rejection());
    assert_eq!(*store.get("key").await.unwrap(), b"value");
    assert_eq!(world.server.journal().count("/key"), 2);
    world.log.says("the token is not accepted any more").await;
    let metrics = &store.project.telemetry.metrics;
    assert_eq!(logins(metrics), "keystead_keystore_logins_total 2");

    // Neither of the two steps of a create is taken twice by that.
    pass(Duration::from_secs(6)).await;
    world.fault(1, "/secrets", rejection());
    store.create("other", b"value").await.unwrap();
    pass(Duration::from_secs(6)).await;
    world.fault(1, ":addVersion", rejection());
    store.create("another", b"value").await.unwrap();
    assert_eq!(world.gcp.versions("another"), Some(1));
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end() {
    let world = World::new().await;
    let store = world.store().await;
    let token = async || {
        store.get("key").await.unwrap_err();
        let asked = world.server.journal().take();
        asked.last().unwrap().headers()["authorization"].clone()
    };
    let first = token().await;
    assert_eq!(token().await, first);
    // The clock of the machine, which is in the token, goes on as well.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    pass(Duration::from_secs(3700)).await;
    let second = token().await;
    assert_ne!(second, first);
    let metrics = store.project.telemetry.metrics.encode().unwrap();
    assert!(metrics.contains("keystead_keystore_renewals_total 1\n"));
}

#[tokio::test]
async fn an_account_that_is_enabled_again_is_served_again() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    world.gcp.set(|settings| settings.enabled = false);
    for seconds in [0, 6, 6] {
        pass(Duration::from_secs(seconds)).await;
        let error = store.get("key").await.unwrap_err();
        assert!(matches!(error, Error::Denied(_)), "{error:?}");
    }
    world.gcp.set(|settings| settings.enabled = true);
    assert_eq!(*store.get("key").await.unwrap(), b"value");
}

#[tokio::test]
async fn credentials_that_cannot_work_are_refused_at_once() {
    let world = World::new().await;
    let pem = |kind: &str| format!("-----BEGIN {kind}-----\ncGFzcy13MHJk\n-----END {kind}-----\n");
    for key in [
        "pass-w0rd".into(),
        pem("PRIVATE KEY"),
        pem("RSA PRIVATE KEY"),
        pem("CERTIFICATE"),
    ] {
        let mut config = world.config();
        let credentials = config.credentials.as_mut().unwrap();
        credentials.private_key = Secret::new(key);
        let error = world.open(&config).await.err().unwrap();
        assert!(matches!(error, Error::Failed(_)), "{error:?}");
        says(
            &error,
            &[
                "gcp: private_key: ",
                "; copy it from the JSON file of the service account's key",
            ],
        );
        for secret in ["pass-w0rd", "cGFzcy13MHJk"] {
            assert!(!told(&error).contains(secret), "{error:?}");
        }
    }
}

/// What only the API can find out, at the first request.
#[tokio::test]
async fn credentials_that_do_not_work_are_denied() {
    let world = World::new().await;
    let other = World::new().await;
    type Change = Box<dyn Fn(&mut keystead_config::kes::GcpSecretManagerConfig)>;
    let key = other.gcp.account().private_key;
    let changes: [(Change, &str); 4] = [
        (
            Box::new(move |config| {
                let credentials = config.credentials.as_mut().unwrap();
                credentials.private_key = Secret::new(key.clone());
            }),
            "UNAUTHENTICATED",
        ),
        (
            Box::new(|config| {
                config.credentials.as_mut().unwrap().private_key_id = "other".into();
            }),
            "UNAUTHENTICATED",
        ),
        (
            Box::new(|config| {
                config.credentials.as_mut().unwrap().client_email = "other@example.net".into();
            }),
            "UNAUTHENTICATED",
        ),
        (
            Box::new(|config| config.scopes = vec!["email".into(), "profile".into()]),
            "PERMISSION_DENIED: Request had insufficient authentication scopes.",
        ),
    ];
    for (change, text) in changes {
        let mut config = world.config();
        change(&mut config);
        let store = world.open(&config).await.unwrap();
        let error = store.get("key").await.unwrap_err();
        assert!(matches!(error, Error::Denied(_)), "{error:?}");
        says(&error, &[text]);
    }
    let mut config = world.config();
    config.project_id = "other-project".into();
    let store = world.open(&config).await.unwrap();
    let error = store.create("key", b"value").await.unwrap_err();
    assert!(matches!(error, Error::Denied(_)), "{error:?}");
    says(&error, &["'projects/"]);
}

/// Even if the API, or what stands in its place, repeats what it was sent.
#[tokio::test]
async fn no_credential_is_in_an_error_or_in_the_log() {
    let world = World::new().await;
    let store = world.store().await;
    let value = "value-of-the-key";
    store.create("key", value.as_bytes()).await.unwrap();
    let asked = world.server.journal().take();
    let token = asked.last().unwrap().headers()["authorization"].to_str();
    let token = token.unwrap().strip_prefix("Bearer ").unwrap().to_owned();
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, value);
    let account = world.gcp.account();
    let secrets = [&token, &account.private_key, &encoded, value];

    let mut errors = Vec::new();
    for status in [400, 401, 403, 409, 429, 500, 503] {
        let faults = |echo: &str| {
            let kind = "text/html";
            [
                refusal(status, "UNAUTHENTICATED", echo),
                Fault::Page(status.try_into().unwrap(), kind, echo.to_owned()),
            ]
        };
        for fault in faults(&format!("{token} {encoded}")) {
            world.fault(3, ":addVersion", fault);
            errors.extend(store.create("other", value.as_bytes()).await.err());
            world.server.faults().clear();
        }
        for fault in faults(&token) {
            world.fault(3, "/key", fault);
            errors.extend(store.get("key").await.err());
            world.server.faults().clear();
        }
    }
    let ok = Fault::Answer(StatusCode::OK, token.clone());
    world.fault(1, "/key", ok);
    errors.extend(store.get("key").await.err());
    assert!(errors.len() > 20, "{}", errors.len());
    let mut text: String = errors.iter().map(told).collect();
    text += &format!("{:?}", store.project.client);
    text += &world.log.text();
    for secret in secrets {
        assert!(!text.contains(secret), "{text}");
    }
}
