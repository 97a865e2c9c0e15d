//! Networks, credentials and services that fail.

use std::fs;

use super::*;

const SORRY: &str = "<html>\n<body>Service Unavailable</body></html>";

#[tokio::test]
async fn a_key_that_is_not_accepted_is_an_error_at_the_start() {
    let mut world = World::new().await;
    let mut with = async |key: &str| {
        world.config.key = SecretSource::Value(Secret::new(key.to_owned()));
        world.try_store().await
    };
    assert_eq!(
        denied(with("d3Jvbmc=").await),
        "key store denied access: 401 Unauthorized: invalid credentials (check \
         'credentials.key': the API key of the app, as the console shows it)"
    );
    let text = failed(with("two\nlines").await);
    assert!(text.contains("characters that no API key has"), "{text}");
    assert!(!text.contains("two"), "{text}");
}

#[tokio::test]
async fn every_step_of_the_start_has_to_succeed() {
    let world = World::new().await;
    for (path, status, body, text) in [
        ("health", 200, "fine", "200 OK: fine"),
        ("auth", 204, "", "204 No Content: no reason given"),
        (
            "auth",
            200,
            "{}",
            "the answer of the key store cannot be understood",
        ),
        ("terminate", 200, "", "200 OK: no reason given"),
        ("health", 404, "no such page", "404 Not Found: no such page"),
    ] {
        world.plan(1, path, status, "text/plain", body);
        assert_eq!(
            failed(world.try_store().await),
            format!("key store failed: {text}")
        );
    }
    world.plan(3, "health", 503, "text/html", SORRY);
    let text = failed(world.try_store().await);
    assert!(
        text.contains("503 Service Unavailable: <html> <body>"),
        "{text}"
    );
    let metrics = world.telemetry.metrics.encode().unwrap();
    assert!(
        metrics.contains("keystead_keystore_login_failures_total 6\n"),
        "{metrics}"
    );
}

#[tokio::test]
async fn failures_that_pass_are_tried_again_twice() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    let sorry = Fault::Page(Status::BAD_GATEWAY, "text/html", SORRY.to_owned());
    for fault in [sorry.clone(), Fault::Drop, Fault::Cut] {
        world.server.journal().take();
        world.server.faults().plan(2, "export", fault);
        assert_eq!(*store.get("key").await.unwrap(), b"value");
        assert_eq!(world.server.journal().count("export"), 3);
    }
    // The body of a create is sent whole each time.
    world.server.faults().plan(2, "keys", sorry);
    store.create("other", b"value").await.unwrap();

    world.plan(3, "export", 503, "text/html", SORRY);
    assert_eq!(
        failed(store.get("key").await),
        "key store failed: 503 Service Unavailable: <html> <body>Service Unavailable</body></html>"
    );
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_says_that_the_key_exists() {
    let world = World::new().await;
    let store = world.store().await;
    world.server.faults().plan(1, "keys", Fault::LoseAnswer);
    let lost = store.create("key", b"value").await;
    assert!(matches!(lost, Err(Error::KeyExists)));
    assert_eq!(*store.get("key").await.unwrap(), b"value");
}

#[tokio::test]
async fn only_two_answers_speak_of_an_object() {
    let world = World::new().await;
    let store = world.store().await;
    for (status, kind, body, text) in [
        (
            404,
            "text/html",
            "<html>404</html>",
            "404 Not Found: <html>404</html>",
        ),
        (404, "text/plain", "", "404 Not Found: no reason given"),
        (
            404,
            "application/json",
            r#"{"message":"no such API"}"#,
            "404 Not Found: no such API",
        ),
        (409, "text/plain", "busy", "409 Conflict: busy"),
        (
            400,
            "text/plain",
            "sobject does not exist",
            "400 Bad Request: sobject does not exist",
        ),
        (
            204,
            "application/json",
            "",
            "204 No Content: no reason given",
        ),
        (302, "text/html", "moved", "302 Found: moved"),
        (
            429,
            "text/plain",
            "slow down",
            "429 Too Many Requests: slow down",
        ),
    ] {
        world.plan(3, "keys", status, kind, body);
        for result in [
            store.get("key").await.map(drop),
            store.create("key", b"value").await,
            store.delete("key").await,
        ] {
            assert_eq!(failed(result), format!("key store failed: {text}"));
        }
    }
    for speaks_text in [false, true] {
        world
            .service
            .set(|settings| settings.speaks_text = speaks_text);
        assert!(matches!(store.get("none").await, Err(Error::KeyNotFound)));
        assert!(matches!(
            store.delete("none").await,
            Err(Error::KeyNotFound)
        ));
        let name = format!("key-{speaks_text}");
        store.create(&name, b"value").await.unwrap();
        let other = store.create(&name, b"value").await;
        assert!(matches!(other, Err(Error::KeyExists)));
    }
    // Somebody else was faster.
    store.create("key", b"value").await.unwrap();
    let gone = r#"{"message":"sobject does not exist"}"#;
    world.plan(1, "keys/0b1ec700", 404, "application/json", gone);
    assert!(matches!(store.delete("key").await, Err(Error::KeyNotFound)));
    world.plan(1, "keys", 200, "application/json", "{}");
    failed(store.list("", "", 1).await);
}

#[tokio::test]
async fn a_missing_right_is_told() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    world
        .service
        .set(|settings| settings.denied = ["create", "delete", "list"].into());
    for result in [
        store.create("other", b"value").await,
        store.delete("key").await,
        store.list("", "", 1).await.map(drop),
    ] {
        assert_eq!(
            denied(result),
            "key store denied access: 403 Forbidden: the app is not allowed to perform this \
             operation (the app lacks a right in the group of the keys)"
        );
    }
    store.get("key").await.unwrap();
    world
        .service
        .set(|settings| settings.denied = ["export"].into());
    denied(store.get("key").await);
}

/// The API key is replaced while the server runs.
#[tokio::test]
async fn a_file_with_the_key_is_read_when_it_is_not_accepted() {
    let mut world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, world.key.clone() + "\n").unwrap();
    world.config.key = SecretSource::File(path.clone());
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();

    world
        .service
        .set(|settings| settings.keys = ["bmV3".into()].into());
    denied(store.get("key").await);
    fs::write(&path, "d3Jvbmc=\n").unwrap();
    denied(store.get("key").await);
    fs::write(&path, "bmV3\n").unwrap();
    assert_eq!(*store.get("key").await.unwrap(), b"value");
    world.server.journal().take();
    store.get("key").await.unwrap();
    assert_eq!(world.server.journal().count(""), 1, "it is remembered");

    fs::remove_file(&path).unwrap();
    store.get("key").await.unwrap();
    world.service.set(|settings| settings.keys.clear());
    let text = failed(store.get("key").await);
    assert!(text.contains("key store failed: open "), "{text}");
}

#[tokio::test]
async fn a_silent_service_costs_what_the_limits_say() {
    let world = World::new().await;
    let store = world.store().await;
    world.server.faults().plan(9, "export", Fault::Hang);
    let start = Instant::now();
    let text = unreachable(store.get("key").await);
    let took = start.elapsed();
    assert!(text.ends_with(": no answer within 500ms"), "{text}");
    assert!(took >= LIMITS.attempt * 3 && took < LIMITS.call, "{took:?}");
    world.server.faults().clear();
    store.create("key", b"value").await.unwrap();

    // Slower than any attempt may be.
    let slow = Fault::Slow(Duration::from_millis(100));
    world.server.faults().plan(1, "export", slow);
    assert_eq!(*store.get("key").await.unwrap(), b"value");

    let long = "x".repeat((10 << 20) + 1);
    world.plan(1, "export", 200, "application/json", &long);
    let text = unreachable(store.get("key").await);
    assert!(
        text.ends_with(": the answer is longer than 10485760 bytes"),
        "{text}"
    );
}

#[tokio::test]
async fn status_tells_a_service_that_is_away_from_one_that_fails() {
    let mut world = World::new().await;
    let store = world.store().await;
    for status in [200, 302, 401, 404] {
        world.plan(1, "/", status, "text/html", "page");
        store.status().await.unwrap();
    }
    world.plan(1, "/", 503, "text/html", SORRY);
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
    world.server.restart().await.unwrap();
    let start = Instant::now();
    store.status().await.unwrap();
    store.create("key", b"value").await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(1));
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
}

/// Whatever an answer repeats of its request.
#[tokio::test]
async fn no_credential_is_shown() {
    let world = World::new().await;
    let store = world.store().await;
    let value = "CiYKIPl1rQ==";
    let encoded = STANDARD.encode(value);
    let echo = format!("Basic {} value={encoded}", world.key);
    let mut texts = Vec::new();
    for status in [400, 401, 403, 500] {
        world.plan(3, "/crypto", status, "text/plain", &echo);
        let error = store.create("key", value.as_bytes()).await.unwrap_err();
        texts.push(format!("{error:?} {}", told(&error)));
        world.server.faults().clear();
        world.plan(
            3,
            "/sys/v1/session",
            status,
            "text/plain",
            &format!("Basic {}", world.key),
        );
        let error = world.try_store().await.err().unwrap();
        texts.push(format!("{error:?} {}", told(&error)));
        world.server.faults().clear();
    }
    let text = texts.join("\n");
    println!("{} bytes searched", text.len());
    assert!(text.contains("Basic *** value=***"), "{text}");
    for secret in [&world.key, &encoded] {
        assert!(!text.contains(secret.as_str()), "{text}");
    }
}
