use http::StatusCode;
use keystead_doubles::Fault;

use super::*;

/// What is answered to each operation while something is wrong, and how long it takes.
async fn outcomes(store: &AzureKeyVaultStore) -> [(&'static str, Result<(), Error>); 4] {
    [
        ("get", store.get("key").await.map(drop)),
        ("create", store.create("new", b"value").await),
        ("list", store.list("", "", 9).await.map(drop)),
        ("delete", store.delete("other").await),
    ]
}

async fn recovers(store: &AzureKeyVaultStore) {
    let start = Instant::now();
    assert!(*store.get("key").await.unwrap() == b"value");
    store.create("recovered", b"value").await.unwrap();
    store.delete("recovered").await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(10));
}

async fn with_key() -> (World, AzureKeyVaultStore) {
    let world = World::new().await;
    let store = world.store();
    store.create("key", b"value").await.unwrap();
    (world, store)
}

#[tokio::test]
async fn a_few_failures_are_not_noticed() {
    let (world, store) = with_key().await;
    let busy = r#"{"error":{"code":"ServiceUnavailable","message":"busy"}}"#;
    for fault in [
        Fault::Answer(StatusCode::SERVICE_UNAVAILABLE, busy.into()),
        Fault::Answer(StatusCode::BAD_GATEWAY, String::new()),
        Fault::Drop,
        Fault::Cut,
        Fault::LoseAnswer,
    ] {
        world.vault.faults().plan(2, "/secrets", fault.clone());
        assert!(*store.get("key").await.unwrap() == b"value", "{fault:?}");
        world.vault.faults().clear();
    }
}

#[tokio::test]
async fn each_lasting_failure_has_its_answer_in_time() {
    let page = "<html>Sorry</html>";
    for (fault, expected) in [
        (
            Fault::Page(StatusCode::SERVICE_UNAVAILABLE, "text/html", page.into()),
            "azure: 503 : <html>Sorry</html>",
        ),
        (
            Fault::Page(StatusCode::NOT_FOUND, "text/html", page.into()),
            "azure: 404 : <html>Sorry</html>",
        ),
        (
            Fault::Answer(StatusCode::NOT_FOUND, String::new()),
            "azure: 404 : ",
        ),
        (
            Fault::Page(StatusCode::OK, "text/html", page.into()),
            "the answer cannot be understood",
        ),
    ] {
        let (world, store) = with_key().await;
        world.vault.faults().plan(usize::MAX, "/secrets", fault);
        for (operation, outcome) in outcomes(&store).await {
            match outcome {
                Err(error @ Error::Failed(_)) => {
                    let cause = cause(error);
                    assert!(cause.contains(expected), "{operation}: {cause}");
                }
                other => panic!("{operation}, {expected}: {other:?}"),
            }
        }
        world.vault.faults().clear();
        recovers(&store).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_is_silent_or_away_is_unreachable() {
    let (mut world, store) = with_key().await;
    let store = Arc::new(store);
    for fault in [
        Fault::Hang,
        Fault::Drop,
        Fault::Slow(Duration::from_secs(1)),
    ] {
        world.vault.faults().plan(usize::MAX, "", fault.clone());
        let start = Instant::now();
        let (get, create, list, delete, status) = tokio::join!(
            store.get("key"),
            store.create("new", b"value"),
            store.list("", "", 9),
            store.delete("other"),
            store.status(),
        );
        let took = start.elapsed();
        println!("{fault:?}: {took:?}");
        assert!(took < Duration::from_secs(15), "{took:?}");
        for outcome in [
            get.map(drop),
            create,
            list.map(drop),
            delete,
            status.map(drop),
        ] {
            let error = outcome.unwrap_err();
            assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
            let cause = cause(error);
            assert!(cause.contains(&world.vault.url()), "{cause}");
        }
        world.vault.faults().clear();
        recovers(&store).await;
    }
    world.vault.kill().await;
    for outcome in [
        store.status().await.map(drop),
        store.get("key").await.map(drop),
    ] {
        assert!(matches!(outcome, Err(Error::Unreachable(_))), "{outcome:?}");
    }
    world.vault.restart().await.unwrap();
    store.status().await.unwrap();
    recovers(&store).await;
}

/// Any answer will do.
#[tokio::test]
async fn a_vault_that_answers_is_reachable() {
    let world = World::new().await;
    let store = world.store();
    for status in [200, 401, 403, 404, 500, 503] {
        let status = StatusCode::from_u16(status).unwrap();
        world
            .vault
            .faults()
            .plan(1, "/", Fault::Answer(status, String::new()));
        store.status().await.unwrap();
    }
    store.status().await.unwrap();
    assert_eq!(world.login.accepted(), 0, "it takes no token");
}

#[tokio::test]
async fn throttling_is_waited_for_if_there_is_time() {
    let (world, store) = with_key().await;
    for (retry_after, seconds) in [(Some("1"), 2), (None, 0), (Some("nonsense"), 0)] {
        world.azure.set(|settings| {
            settings.throttled = 2;
            settings.retry_after = retry_after;
        });
        let start = Instant::now();
        assert!(*store.get("key").await.unwrap() == b"value");
        assert!(start.elapsed() >= Duration::from_secs(seconds));
    }
    world.azure.set(|settings| {
        settings.throttled = usize::MAX;
        settings.retry_after = Some("60");
    });
    let start = Instant::now();
    let error = store.get("key").await.map(drop).unwrap_err();
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "nobody waits a minute"
    );
    assert!(cause(error).starts_with("azure: 429 Throttled: "));
    world.azure.set(|settings| settings.retry_after = None);
    let start = Instant::now();
    let error = store.create("new", b"value").await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(15));
    assert!(cause(error).starts_with("azure: 429 Throttled: "));
    world.azure.set(|settings| settings.throttled = 0);
    recovers(&store).await;
}

/// The answer to the write is lost, not the write: the key was created by this call.
#[tokio::test]
async fn a_create_whose_answer_is_lost_is_a_success() {
    let world = World::new().await;
    let store = world.store();
    for fault in [Fault::LoseAnswer, Fault::Cut] {
        world.azure.clear();
        // The first request reads, and is answered.
        store.create("warm-up", b"value").await.unwrap();
        let name = "key";
        let create = store.create(name, b"value");
        world.vault.faults().plan_after(1, 1, "/secrets/key", fault);
        create.await.unwrap();
        assert!(*store.get(name).await.unwrap() == b"value");
        let error = store.create(name, b"value").await.unwrap_err();
        assert!(matches!(error, Error::KeyExists));
    }
}

#[tokio::test]
async fn lists_have_an_end_and_stay_at_the_vault() {
    let (world, store) = with_key().await;
    world.azure.set(|settings| settings.repeats_pages = true);
    for outcome in [
        store.list("", "", 9).await.map(drop),
        store.get("key").await.map(drop),
    ] {
        assert_eq!(cause(outcome.unwrap_err()), "azure: the list does not end");
    }
    world.azure.set(|settings| settings.repeats_pages = false);
    let elsewhere = r#"{"value":[],"nextLink":"https://127.0.0.2:1/secrets?$skiptoken=a"}"#;
    let page = Fault::Page(StatusCode::OK, "application/json", elsewhere.into());
    world.vault.faults().plan(2, "/secrets", page);
    for outcome in [
        store.list("", "", 9).await.map(drop),
        store.get("key").await.map(drop),
    ] {
        assert_eq!(
            cause(outcome.unwrap_err()),
            "azure: the vault refers to 'https://127.0.0.2:1', which is not the vault"
        );
    }
    // No answer is read to an end that never comes.
    let long = "x".repeat(2 << 20);
    let page = Fault::Page(StatusCode::OK, "application/json", long);
    world.vault.faults().plan(1, "/secrets", page);
    let error = cause(store.list("", "", 9).await.map(drop).unwrap_err());
    assert!(
        error.ends_with("the answer is longer than 1048576 bytes"),
        "{error}"
    );
}

#[tokio::test]
async fn no_error_repeats_a_credential_or_a_value() {
    let (world, store) = with_key().await;
    let client_secret = world.azure.settings().client_secret;
    let value = "s3cr3t-v4lue";
    let mut seen = String::new();
    for status in [400, 403, 500, 503] {
        let status = StatusCode::from_u16(status).unwrap();
        let token = world.azure.tokens().pop().unwrap();
        let echo = format!("<html>Bearer {token} {client_secret} {value}</html>");
        let echo = echo.replace(&client_secret, "");
        let page = Fault::Page(status, "text/html", echo);
        world.vault.faults().plan(8, "/secrets/new", page);
        let error = store.create("new", value.as_bytes()).await.unwrap_err();
        // The first request of a create is without the value.
        seen += &texts(&error).replace(value, "");
        world.vault.faults().clear();

        world.azure.revoke_tokens();
        let echo = format!(r#"{{"error_description":"not {client_secret}!"}}"#);
        let page = Fault::Page(status, "application/json", echo);
        world.login.faults().plan(8, "/token", page);
        let error = store.get("key").await.map(drop).unwrap_err();
        seen += &texts(&error);
        world.login.faults().clear();
        // The token that was revoked is too young to be replaced at once.
        tokio::time::sleep(Duration::from_secs(3)).await;
        store.get("key").await.unwrap();
    }
    assert!(seen.contains("not ***!"), "{seen}");
    for secret in world.azure.tokens().iter().chain([&client_secret]) {
        assert!(!seen.contains(secret), "{seen}");
    }
    assert!(!format!("{:?}", world.config).contains(&client_secret));
}
