//! Tokens that end, in every way they can.

use std::fs;

use http::StatusCode;
use keystead_doubles::Fault;
use tokio::time::{sleep, sleep_until};

use super::*;

#[tokio::test]
async fn a_wrong_refresh_token_or_domain_is_an_error_at_the_start() {
    let mut world = World::new().await;
    let advice = "login failed: 401 Unauthorized: NCERRUnauthorized: Unauthorized (check \
                  'credentials.token' and 'credentials.domain'; a refresh token may have expired \
                  or been revoked: issue a new one)";
    world.config.domain = Some("other".into());
    let text = denied(world.try_store().await);
    assert_eq!(text, format!("key store denied access: {advice}"));
    world.config.domain = None;
    world.config.token = SecretSource::Value(Secret::new("wr0ng".into()));
    let text = denied(world.try_store().await);
    assert_eq!(text, format!("key store denied access: {advice}"));
    assert_eq!(world.metric("login_failures_total"), 2.0);
    assert_eq!(world.metric("logins_total"), 0.0);
}

#[tokio::test]
async fn a_login_has_to_give_a_token() {
    let world = World::new().await;
    for (document, text) in [
        (
            r#"{"token_type":"Bearer","jwt":"x","duration":0}"#,
            "the token has no life",
        ),
        (
            r#"{"token_type":"Basic","jwt":"x","duration":9}"#,
            "not of the type 'Bearer'",
        ),
        (
            r#"{"token_type":"Bearer","jwt":"","duration":9}"#,
            "the token is empty",
        ),
        (
            r#"{"token_type":"Bearer","jwt":"a\nb","duration":9}"#,
            "or not a text",
        ),
        (
            r#"{"token_type":"Bearer","jwt":"x","duration":-9}"#,
            "cannot be understood",
        ),
        (
            r#"{"token_type":"Bearer","jwt":"x","duration":18446744073709551615}"#,
            "cannot be",
        ),
        (r#"{"token_type":"Bearer"}"#, "cannot be understood"),
        ("<html>", "cannot be understood"),
    ] {
        let fault = Fault::Answer(StatusCode::OK, document.to_owned());
        world.server.faults().plan(1, "tokens", fault);
        let told = failed(world.try_store().await);
        assert!(
            told.contains("login failed: ") && told.contains(text),
            "{told}"
        );
    }
}

#[tokio::test]
async fn no_call_notices_a_new_login() {
    let world = World::new().await;
    world
        .appliance
        .set(|settings| settings.token_life = Duration::from_secs(2));
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    let start = Instant::now();
    while world.appliance.logins() < 4 {
        store.get("key").await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(30));
    }
    assert!(
        start.elapsed() >= Duration::from_secs(3),
        "half of each life"
    );
    assert_eq!(world.errors().await, "");
}

#[tokio::test]
async fn a_token_the_appliance_forgot_costs_one_login() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    world.appliance.revoke_tokens();
    let (one, two) = tokio::join!(store.get("key"), store.get("key"));
    assert_eq!((one.unwrap().len(), two.unwrap().len()), (5, 5));
    assert_eq!(world.appliance.logins(), 2);
    let errors = world.errors().await;
    assert!(
        errors.contains("keysecure: auth token is not accepted any more"),
        "{errors}"
    );
    assert!(errors.contains("keysecure: logged in again"), "{errors}");
}

#[tokio::test]
async fn a_call_is_repeated_once() {
    let world = World::new().await;
    let store = world.store().await;
    let unauthorized = Fault::Answer(StatusCode::UNAUTHORIZED, String::new());
    world.server.faults().plan(2, "export", unauthorized);
    let text = denied(store.get("key").await);
    assert_eq!(
        text,
        "key store denied access: 401 Unauthorized: no reason given (a new token is not \
         accepted: do the nodes agree on the time?)"
    );
    assert_eq!(world.server.journal().count("export"), 2);
    assert!(matches!(store.get("key").await, Err(Error::KeyNotFound)));
}

#[tokio::test]
async fn a_missing_right_is_no_reason_to_log_in() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    world
        .appliance
        .set(|settings| settings.denied = ["create", "list", "delete"].into());
    for text in [
        denied(store.create("other", b"value").await),
        denied(store.list("", "", 1).await),
    ] {
        assert_eq!(
            text,
            "key store denied access: 403 Forbidden: NCERRInsufficientPermissions: Caller has \
             insufficient permissions (the account of the refresh token lacks a right)"
        );
    }
    // The appliance says that there is no such secret.
    let text = denied(store.delete("key").await);
    assert!(text.contains("the secret is still there"), "{text}");
    store.delete("absent").await.unwrap();
    world
        .appliance
        .set(|settings| settings.denied = ["export"].into());
    assert!(matches!(store.get("key").await, Err(Error::KeyNotFound)));
    assert_eq!(world.appliance.logins(), 1);
}

/// The refresh token is replaced while the server runs.
#[tokio::test]
async fn a_file_with_the_refresh_token_is_read_at_every_login() {
    let mut world = World::new().await;
    world.config.retry = Duration::from_millis(50);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let old = CipherTrustSettings::default().refresh_tokens;
    fs::write(&path, old.first().unwrap().to_owned() + "\n").unwrap();
    world.config.token = SecretSource::File(path.clone());
    let store = world.store().await;

    world
        .appliance
        .set(|settings| settings.refresh_tokens = ["n3w".into()].into());
    world.appliance.revoke_tokens();
    denied(store.get("key").await);
    // It answers, but is of no use.
    denied(store.status().await);
    fs::write(&path, "n3w\n").unwrap();
    let start = Instant::now();
    while store.status().await.is_err() {
        assert!(start.elapsed() < Duration::from_secs(5));
        sleep(Duration::from_millis(10)).await;
    }
    assert!(matches!(store.get("key").await, Err(Error::KeyNotFound)));

    fs::remove_file(&path).unwrap();
    world.appliance.revoke_tokens();
    let text = failed(store.get("key").await);
    assert!(text.contains("login failed: open "), "{text}");
}

#[tokio::test]
async fn a_refused_refresh_token_is_not_sent_by_every_call() {
    let world = World::new().await;
    let store = world.store().await;
    world
        .appliance
        .set(|settings| settings.refresh_tokens.clear());
    world.appliance.revoke_tokens();
    for _ in 0..100 {
        let (one, two) = tokio::join!(store.get("key"), store.list("", "", 1));
        denied(one);
        denied(two);
    }
    assert_eq!(world.server.journal().count("tokens"), 2);
}

/// Every order of logins that fail, drop and hang, while a client works on the token it
/// has. As soon as the appliance is well again, so is the client.
#[tokio::test]
async fn logins_fail_in_every_order() {
    let mut orders = tokio::task::JoinSet::new();
    for order in 0..8_u32 {
        orders.spawn(async move {
            let mut world = World::new().await;
            world.config.retry = Duration::from_millis(300);
            let life = Duration::from_secs(2);
            world.appliance.set(|settings| settings.token_life = life);
            let store = world.store().await;
            let sick = Instant::now();
            for turn in 0..3 {
                let fault = if order >> turn & 1 == 1 {
                    Fault::Drop
                } else {
                    Fault::Answer(StatusCode::SERVICE_UNAVAILABLE, "Sorry".into())
                };
                world.server.faults().plan(3, "tokens", fault);
            }
            if order == 5 {
                world.appliance.revoke_tokens();
            }
            sleep_until(sick + life * 2).await;
            world.server.faults().clear();
            let well = Instant::now();
            store.list("", "", 1).await.unwrap();
            let took = well.elapsed();
            assert!(took < Duration::from_secs(4), "order {order}: {took:?}");
            took
        });
    }
    let took = orders.join_all().await;
    println!("recovery after logins failed: {took:?}");
}

#[tokio::test]
async fn a_closed_store_lives_on_its_last_token() {
    let world = World::new().await;
    let store = world.store().await;
    store.close().await;
    store.list("", "", 1).await.unwrap();
    world.appliance.revoke_tokens();
    let text = failed(store.get("key").await);
    assert!(text.contains("the key store is closed"), "{text}");
}
