use http::Request;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::support::{Health, Version, World, admin, base64, text, unbase64};

const VERSIONS: [Version; 2] = [Version::Http1, Version::Http2];

async fn line(body: &mut Incoming) -> Value {
    let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(data.ends_with(b"\n"));
    serde_json::from_slice(&data).unwrap()
}

#[tokio::test]
async fn streams_begin_at_once_and_end_with_the_server() {
    for version in VERSIONS {
        for path in ["/v1/log/error", "/v1/log/audit"] {
            let world = World::with("").await;
            let mut client = world.client(&admin(), version).await;
            let request = Request::get(path).body(Default::default()).unwrap();
            // The head comes before there is any event.
            let response = client.open(request).await.unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["content-type"], "application/x-ndjson");
            let mut body = response.into_body();

            let mut other = world.member(1).await;
            other.get("/v1/status").await;
            let event = line(&mut body).await;
            if path.ends_with("error") {
                let message = text(&event, "message");
                assert!(
                    message.contains("level=INFO msg=\"request refused\""),
                    "{message}"
                );
                assert!(message.contains("req.path=/v1/status"), "{message}");
            } else {
                assert_eq!(event["request"]["path"], "/v1/status");
                assert_eq!(event["request"]["ip"], "127.0.0.1");
                let identity = crate::support::member(1).identity().to_string();
                assert_eq!(event["request"]["identity"], identity);
                assert_eq!(event["response"]["code"], 403);
                assert!(event["response"]["time"].is_u64());
            }
            world.server.shutdown().await;
            // Over HTTP/1.1 an endless body may also be cut.
            if let Ok(rest) = body.collect().await {
                assert_eq!(rest.to_bytes(), "");
            }
        }
    }
}

#[tokio::test]
async fn streams_do_not_depend_on_the_console() {
    let world = World::new().await;
    let (mut settings, _) = world.settings("", "");
    settings.config.log.error = keystead_config::Level::OFF;
    settings.config.log.audit = keystead_config::Level::OFF;
    world.server.reload(settings).await.unwrap();
    let mut client = world.admin().await;
    for path in ["/v1/log/error", "/v1/log/audit"] {
        let request = Request::get(path).body(Default::default()).unwrap();
        let mut body = client.open(request).await.unwrap().into_body();
        world.member(1).await.get("/v1/status").await;
        line(&mut body).await;
    }
    assert_eq!(world.audit().await, "");
    assert_eq!(world.errors().await, "");
}

#[tokio::test]
async fn a_configured_time_out_ends_a_stream() {
    let world = World::with("api: { /v1/log/audit: { timeout: 1ms } }").await;
    let mut client = world.admin().await;
    assert_eq!(client.get("/v1/log/audit").await.status, 200);
}

#[tokio::test]
async fn every_request_is_audited_with_four_exceptions() {
    let world = World::new().await;
    let mut client = world.admin().await;
    client.get("/v1/ready").await;
    client.get("/v1/metrics").await;
    for path in ["/v1/log/error", "/v1/log/audit"] {
        let request = Request::get(path).body(Default::default()).unwrap();
        drop(client.open(request).await.unwrap());
    }
    client.put("/v1/key/create/k", Value::Null).await;
    client.put("/v1/key/generate/k", json!({})).await;
    client.get("/v1/key/describe/a%2Fb").await;
    client.get("/v1/key/create/k").await;
    client.get("/version").await;
    client.get("/nowhere").await;
    client.delete("/v1/key/delete/k").await;
    let mut stranger = world.member(1).await;
    stranger.get("/v1/api").await;

    let audit = world.audit().await;
    let lines: Vec<_> = audit.lines().collect();
    let expected = [
        ("PUT", "/v1/key/create/k", 200),
        ("PUT", "/v1/key/generate/k", 200),
        ("GET", "/v1/key/describe/a/b", 400),
        ("GET", "/v1/key/create/k", 405),
        ("GET", "/version", 200),
        ("GET", "/nowhere", 404),
        ("DELETE", "/v1/key/delete/k", 200),
        ("GET", "/v1/api", 403),
    ];
    assert_eq!(lines.len(), expected.len(), "{audit}");
    for (line, (method, path, code)) in lines.iter().zip(expected) {
        assert!(
            line.contains(&format!(" req.method={method} req.path={path} ")),
            "{line}"
        );
        assert!(line.contains(" req.ip=127.0.0.1 req.identity="), "{line}");
        assert!(line.contains(&format!(" res.code={code} ")), "{line}");
    }
}

#[tokio::test]
async fn no_log_holds_a_secret() {
    let world = World::new().await;
    let mut client = world.admin().await;
    let key = [0xA7; 32];
    let import = json!({ "key": base64(key), "cipher": "AES256" });
    client
        .put("/v1/key/import/k", import.clone())
        .await
        .is_empty();
    client.put("/v1/key/import/k", import).await;
    let data_key = client.put("/v1/key/generate/k", json!({})).await.json();
    let plaintext = b"attack at dawn, or a little later".to_vec();
    let body = json!({ "plaintext": base64(&plaintext), "context": "" });
    let sealed = client.put("/v1/key/encrypt/k", body).await.json();
    client.put("/v1/key/decrypt/k", sealed.clone()).await.json();
    let mut wrong = sealed;
    wrong["context"] = json!(base64("other"));
    client.put("/v1/key/decrypt/k", wrong).await;
    let hmac = client
        .put("/v1/key/hmac/k", json!({ "message": base64(&plaintext) }))
        .await;
    let broken = json!({ "key": base64(&key[..31]), "cipher": "AES256" });
    client.put("/v1/key/import/j", broken).await;
    world.store.turn(Health::Failing);
    client.get("/v1/key/describe/other").await;

    let logs = world.errors().await + &world.audit().await;
    assert!(logs.contains("/v1/key/generate/k"));
    let mac = unbase64(text(&hmac.json(), "hmac"));
    let data_key = unbase64(text(&data_key, "plaintext"));
    for secret in [key.to_vec(), data_key, plaintext, mac] {
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        // Half of it would be too much, wherever it begins.
        let encoded = base64(&secret);
        for form in [
            hex.as_str(),
            &hex.to_uppercase(),
            &encoded,
            &String::from_utf8_lossy(&secret),
        ] {
            let half: String = form.chars().take(form.chars().count() / 2).collect();
            assert!(!logs.contains(&half), "{logs}");
        }
    }
}
