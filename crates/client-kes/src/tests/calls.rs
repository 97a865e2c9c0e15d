use bytes::Bytes;
use http::{Method, Response, Version, header};
use http_body_util::{BodyExt, channel::Channel};
use keystead_wire_kes::{CONTENT_TYPE_NDJSON, ENDPOINTS};

use super::client_of;
use super::server::{Reply, Server, json, reply_with};
use crate::Error;

#[tokio::test]
async fn calls_are_those_of_the_protocol() {
    let server = Server::start([]).await;
    let client = client_of(&server);
    drop(client.version().await);
    drop(client.ready().await);
    drop(client.status().await);
    drop(client.metrics().await);
    drop(client.apis().await);
    drop(client.error_log().await);
    drop(client.audit_log().await);
    drop(client.create_key("my-key").await);
    drop(client.import_key("my-key", b"k", "AES256").await);
    drop(client.describe_key("my-key").await);
    drop(client.delete_key("my-key").await);
    drop(client.list_keys("").await);
    drop(client.list_keys("my").await);
    drop(client.list_keys_page("my-@my-key").await);
    drop(client.generate("my-key", b"{}").await);
    drop(client.encrypt("my-key", b"m", b"").await);
    drop(client.decrypt("my-key", b"m", b"").await);
    drop(client.bulk_decrypt("my-key", &[(b"m", b"")]).await);
    drop(client.hmac("my-key", b"m").await);
    drop(client.describe_policy("minio").await);
    drop(client.read_policy("minio").await);
    drop(client.list_policies("mi*").await);
    drop(client.describe_identity("ab").await);
    drop(client.list_identities("").await);
    drop(client.describe_self().await);
    drop(client.describe_key("../a/b c%").await);

    let seen = server.take();
    assert_eq!(
        seen.calls,
        [
            "GET /version",
            "GET /v1/ready",
            "GET /v1/status",
            "GET /v1/metrics",
            "GET /v1/api",
            "GET /v1/log/error",
            "GET /v1/log/audit",
            "POST /v1/key/create/my-key",
            r#"POST /v1/key/import/my-key application/json {"key":"aw==","cipher":"AES256"}"#,
            "GET /v1/key/describe/my-key",
            "DELETE /v1/key/delete/my-key",
            "GET /v1/key/list/%2A",
            "GET /v1/key/list/my",
            "GET /v1/key/list/my-@my-key",
            r#"POST /v1/key/generate/my-key application/json {"context":"e30="}"#,
            r#"POST /v1/key/encrypt/my-key application/json {"plaintext":"bQ==","context":""}"#,
            r#"POST /v1/key/decrypt/my-key application/json {"ciphertext":"bQ==","context":""}"#,
            r#"POST /v1/key/bulk/decrypt/my-key application/json [{"ciphertext":"bQ==","context":""}]"#,
            r#"PUT /v1/key/hmac/my-key application/json {"message":"bQ=="}"#,
            "GET /v1/policy/describe/minio",
            "GET /v1/policy/read/minio",
            "GET /v1/policy/list/mi%2A",
            "GET /v1/identity/describe/ab",
            "GET /v1/identity/list/%2A",
            "GET /v1/identity/self/describe",
            "GET /v1/key/describe/%2E%2E%2Fa%2Fb%20c%25",
        ]
    );
    for endpoint in &ENDPOINTS {
        assert!(
            seen.calls.iter().any(|call| {
                let (method, path) = call.split_once(' ').unwrap();
                path.starts_with(endpoint.path)
                    && endpoint.accepts(&Method::from_bytes(method.as_bytes()).unwrap())
            }),
            "{endpoint:?}"
        );
    }
}

#[tokio::test]
async fn answers_are_read() {
    let server = Server::start([
        json(200, r#"{"version":"v","commit":"c"}"#),
        json(200, r#"{"plaintext":"aGVsbG8=","ciphertext":"bQ=="}"#),
        json(200, r#"{"plaintext":""}"#),
        json(200, r#"[{"plaintext":"bQ=="}]"#),
        reply_with(200, "text/plain", "kes_http_request_active 0\n"),
        json(200, r#"{"plaintext":"aGVsbG8="}"#),
        json(200, "[]"),
    ])
    .await;
    let client = client_of(&server);
    assert_eq!(client.version().await.unwrap().commit, "c");
    let key = client.generate("k", b"").await.ok().unwrap();
    assert_eq!(
        (key.plaintext.as_slice(), key.ciphertext.as_slice()),
        (&b"hello"[..], &b"m"[..])
    );
    assert!(
        client
            .decrypt("k", b"", b"")
            .await
            .ok()
            .unwrap()
            .plaintext
            .is_empty()
    );
    let many = client.bulk_decrypt("k", &[]).await.ok().unwrap();
    assert_eq!(*many.items[0].plaintext, b"m");
    assert_eq!(
        client.metrics().await.unwrap(),
        "kes_http_request_active 0\n"
    );
    let error = client.generate("k", b"").await.err().unwrap();
    assert!(matches!(error, Error::Response(_)), "{error}");
    assert!(client.apis().await.unwrap().apis.is_empty());
}

#[tokio::test]
async fn connections_are_kept_for_both_versions_of_http() {
    for (alpn, version) in [
        (&[b"h2".as_slice(), b"http/1.1"][..], Version::HTTP_2),
        (&[b"http/1.1"], Version::HTTP_11),
        (&[], Version::HTTP_11),
    ] {
        let server = Server::with_protocols(alpn, []).await;
        let client = client_of(&server);
        for _ in 0..3 {
            client.create_key("k").await.unwrap();
            client.clone().delete_key("k").await.unwrap();
        }
        let seen = server.take();
        assert_eq!(seen.versions, [version; 6]);
        assert_eq!(seen.connections, 1);
    }
}

#[tokio::test]
async fn calls_can_move_between_threads() {
    let server = Server::start([]).await;
    let client = client_of(&server);
    let call = tokio::spawn(async move { client.create_key("k").await });
    call.await.unwrap().unwrap();
}

#[tokio::test]
async fn listings_are_walked_to_their_end() {
    let server = Server::start([
        json(200, r#"{"names":["b","a"],"continue_at":"k@c"}"#),
        json(200, r#"{"names":["c"],"continue_at":"k@c"}"#),
        reply_with(
            200,
            CONTENT_TYPE_NDJSON,
            "{\"name\":\"b\"}\n{\"name\":\"a\"}\n",
        ),
        reply_with(
            200,
            CONTENT_TYPE_NDJSON,
            "{\"name\":\"b\"}\n{\"error\":\"broken\"}\n",
        ),
        json(200, r#"{"identities":["x"],"continue_at":""}"#),
        json(200, r#"{"names":["a"],"continue_at":"@b"}"#),
    ])
    .await;
    let client = client_of(&server);
    assert_eq!(client.list_keys("k").await.unwrap(), ["a", "b", "c"]);
    assert_eq!(client.list_policies("").await.unwrap(), ["a", "b"]);
    let error = client.list_policies("").await.unwrap_err();
    assert_eq!(error.to_string(), "kes: broken");
    assert_eq!(client.list_identities("").await.unwrap(), ["x"]);
    let page = client.list_keys_page("").await.unwrap();
    assert_eq!(page.continue_at.as_deref(), Some("@b"));
    let calls = server.take().calls;
    assert_eq!(calls[..2], ["GET /v1/key/list/k", "GET /v1/key/list/k@c"]);
    assert_eq!(calls.len(), 6);
}

#[tokio::test]
async fn old_listings_may_be_long() {
    let line = format!("{{\"name\":\"{}\"}}\n", "k".repeat(80));
    let lines = line.repeat(40_000);
    let server = Server::start([reply_with(200, CONTENT_TYPE_NDJSON, &lines)]).await;
    assert_eq!(
        client_of(&server).list_keys("").await.unwrap().len(),
        40_000
    );
}

#[tokio::test]
async fn log_events_arrive_one_by_one() {
    let (mut events, body) = Channel::<Bytes>::new(4);
    let reply: Reply = Response::builder()
        .header(header::CONTENT_TYPE, CONTENT_TYPE_NDJSON)
        .body(body.boxed())
        .unwrap();
    let server = Server::start([reply]).await;
    let mut log = client_of(&server).error_log().await.unwrap();

    events
        .send_data("{\"message\":\"one\"}\n{\"mess".into())
        .await
        .unwrap();
    assert_eq!(log.next().await.unwrap().unwrap().message, "one");
    events
        .send_data("age\":\"two\"}\n\n7\n".into())
        .await
        .unwrap();
    assert_eq!(log.next().await.unwrap().unwrap().message, "two");
    assert!(matches!(log.next().await, Err(Error::Response(_))));
    drop(events);
    assert_eq!(log.next().await.unwrap(), None);
}
