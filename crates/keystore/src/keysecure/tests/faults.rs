//! Networks and appliances that fail.

use http::StatusCode;
use keystead_doubles::Fault;

use super::*;

fn page(status: u16, kind: &'static str, body: &str) -> Fault {
    Fault::Page(StatusCode::from_u16(status).unwrap(), kind, body.to_owned())
}

fn sorry() -> Fault {
    page(
        503,
        "text/html",
        "<html>\n<body>Service Unavailable</body></html>",
    )
}

#[tokio::test]
async fn failures_that_pass_are_tried_again_twice() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    for fault in [sorry(), Fault::Drop, Fault::Cut] {
        world.server.journal().take();
        world.server.faults().plan(2, "export", fault);
        assert_eq!(*store.get("key").await.unwrap(), b"value");
        assert_eq!(world.server.journal().count("export"), 3);
    }
    // The body of a create is sent whole each time.
    world.server.faults().plan(2, "secrets", sorry());
    store.create("other", b"value").await.unwrap();

    world.server.faults().plan(3, "export", sorry());
    assert_eq!(
        failed(store.get("key").await),
        "key store failed: 503 Service Unavailable: <html> <body>Service Unavailable</body></html>"
    );
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_says_that_the_key_exists() {
    let world = World::new().await;
    let store = world.store().await;
    world.server.faults().plan(1, "secrets", Fault::LoseAnswer);
    let lost = store.create("key", b"value").await;
    assert!(matches!(lost, Err(Error::KeyExists)));
    assert_eq!(*store.get("key").await.unwrap(), b"value");
}

#[tokio::test]
async fn only_the_appliance_can_say_that_a_key_is_missing() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    for (status, kind, body, text) in [
        (
            404,
            "text/html",
            "<html>404</html>",
            "404 Not Found: <html>404</html>",
        ),
        (404, "text/plain", "", "404 Not Found: no reason given"),
        (404, "application/json", "{}", "404 Not Found: {}"),
        (
            204,
            "application/json",
            "",
            "204 No Content: no reason given",
        ),
        (302, "text/html", "moved", "302 Found: moved"),
        (
            200,
            "application/json",
            "[]",
            "the answer of the key store cannot be understood",
        ),
        (
            429,
            "text/plain",
            "slow down",
            "429 Too Many Requests: slow down",
        ),
    ] {
        for delete in [false, true] {
            world
                .server
                .faults()
                .plan(1, "secrets/key", page(status, kind, body));
            let result = if delete {
                store.delete("key").await
            } else {
                store.get("key").await.map(drop)
            };
            let told = match (delete, status) {
                (true, 204) => {
                    result.unwrap();
                    continue;
                }
                (true, 200) => {
                    failed(result);
                    continue;
                }
                _ => failed(result),
            };
            assert_eq!(told, format!("key store failed: {text}"));
        }
    }
    world.appliance.set(|settings| settings.speaks_text = true);
    let told = failed(store.get("absent").await);
    assert!(
        told.ends_with("NCERRResourceNotFound: Resource not found"),
        "{told}"
    );
}

#[tokio::test]
async fn a_silent_appliance_costs_what_the_limits_say() {
    let world = World::new().await;
    let store = world.store().await;
    world.server.faults().plan(9, "export", Fault::Hang);
    let start = Instant::now();
    let text = unreachable(store.get("key").await);
    let took = start.elapsed();
    assert!(text.ends_with(": no answer within 500ms"), "{text}");
    assert!(took >= LIMITS.attempt * 3, "{took:?}");
    assert!(took < LIMITS.call, "{took:?}");
    world.server.faults().clear();
    store.create("key", b"value").await.unwrap();

    // Slower than any attempt may be.
    let slow = Fault::Slow(Duration::from_millis(100));
    world.server.faults().plan(1, "export", slow);
    assert_eq!(*store.get("key").await.unwrap(), b"value");
}

#[tokio::test]
async fn silent_logins_do_not_hold_calls_longer_than_the_limits_say() {
    let world = World::new().await;
    let store = world.store().await;
    world
        .server
        .faults()
        .plan(usize::MAX, "tokens", Fault::Hang);
    world.appliance.revoke_tokens();
    let start = Instant::now();
    unreachable(store.get("key").await);
    assert!(start.elapsed() < LIMITS.call + Duration::from_secs(1));
    world.server.faults().clear();
    let well = Instant::now();
    while !matches!(store.get("key").await, Err(Error::KeyNotFound)) {
        assert!(well.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn an_answer_may_be_too_long() {
    let world = World::new().await;
    let store = world.store().await;
    let long = "x".repeat((2 << 20) + 1);
    world
        .server
        .faults()
        .plan(1, "export", page(200, "application/json", &long));
    let text = unreachable(store.get("key").await);
    assert!(
        text.ends_with(": the answer is longer than 2097152 bytes"),
        "{text}"
    );
    // As a page of its own that nobody asked for it is good enough.
    world
        .server
        .faults()
        .plan(1, "/", page(200, "text/html", &long));
    store.status().await.unwrap();
}

#[tokio::test]
async fn status_tells_an_appliance_that_is_away_from_one_that_fails() {
    let mut world = World::new().await;
    let store = world.store().await;
    for status in [200, 302, 401, 404] {
        world
            .server
            .faults()
            .plan(1, "/", page(status, "text/html", "page"));
        store.status().await.unwrap();
    }
    world.server.faults().plan(1, "/", sorry());
    failed(store.status().await);
    world.server.faults().plan(1, "/", Fault::Hang);
    unreachable(store.status().await);
    store.status().await.unwrap();

    world.server.kill().await;
    for result in [
        store.status().await.map(drop),
        store.create("key", b"value").await,
        store.get("key").await.map(drop),
        store.delete("key").await,
        store.list("", "", 1).await.map(drop),
    ] {
        let text = unreachable(result);
        assert!(text.contains("Connection refused"), "{text}");
    }
    world.appliance.revoke_tokens();
    world.server.restart().await.unwrap();
    let start = Instant::now();
    store.status().await.unwrap();
    store.create("key", b"value").await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn the_configured_authorities_replace_those_of_the_system() {
    let mut world = World::new().await;
    let other = Authority::new().unwrap();
    world.config.ca = Some(other.file());
    let text = unreachable(world.try_store().await);
    assert!(text.contains("invalid peer certificate"), "{text}");
    world.config.ca = Some(other.file().with_file_name("none"));
    failed(world.try_store().await);
    world.config.ca = Some(world.authority.file());
    world.store().await;
    world.config.endpoint = "ciphertrust.example.net".into();
    let text = unreachable(world.try_store().await);
    assert!(text.contains("the scheme is not 'https'"), "{text}");
}

/// Whatever an answer repeats of its request.
#[tokio::test]
async fn no_credential_is_shown() {
    let world = World::new().await;
    let store = world.store().await;
    let token = "eyJhbGciOiJFUzI1NiJ9.session-1.c2ln";
    let refresh_token = "Wz0vCcvLbFcYQGy3qVr8eQ4e2dEuI5qV";
    let material = "CiYKIPl1rQ==";
    let mut texts = Vec::new();
    for status in [400, 403, 500] {
        let echo = |text: String| page(status, "text/plain", &text);
        world.server.faults().clear();
        let fault = echo(format!("token={token} value={material}"));
        world.server.faults().plan(3, "secrets", fault);
        let error = store.create("key", material.as_bytes()).await.unwrap_err();
        texts.push(format!("{error:?} {}", told(&error)));
        let fault = echo(format!("refresh={refresh_token}"));
        world.server.faults().plan(6, "tokens", fault);
        let error = world.try_store().await.err().unwrap();
        texts.push(format!("{error:?} {}", told(&error)));
    }
    world.appliance.revoke_tokens();
    texts.push(told(&store.get("key").await.unwrap_err()));
    texts.push(world.errors().await);
    let text = texts.join("\n");
    println!("{} bytes searched", text.len());
    assert!(text.contains("token=*** value=***"), "{text}");
    assert!(text.contains("keysecure: failed to login"), "{text}");
    assert!(text.contains("refresh=***"), "{text}");
    for secret in [token, refresh_token, material] {
        assert!(!text.contains(secret), "{text}");
    }
}
