use std::fs;

use jiff::Timestamp;
use keystead_crypto::SystemRandom;
use keystead_identity::{ApiKey, certificate_to_pem};
use keystead_tls::ClientCredential;
use serde_json::Value;

use crate::support::{Version, World, member};

const NOT_ALLOWED: &str = "not authorized: insufficient permissions";
const NO_CERTIFICATE: &str = "tls: client certificate is required";

fn policies() -> String {
    let (one, two) = (member(1), member(2));
    format!(
        "policy:\n\
         \x20 minio: {{ allow: [ /v1/key/create/*, /v1/key/list/* ], deny: [ /v1/key/create/internal* ], identities: [ {} ] }}\n\
         \x20 empty: {{ identities: [ {} ] }}\n",
        one.identity(),
        two.identity()
    )
}

#[tokio::test]
async fn policies_decide_and_the_log_knows_why() {
    let world = World::with(&policies()).await;
    let mut one = world.member(1).await;
    one.create("a").await;
    one.get("/v1/key/list").await.json();
    one.put("/v1/key/create/internal-a", Value::Null)
        .await
        .is_error(403, NOT_ALLOWED);
    one.get("/v1/key/describe/a")
        .await
        .is_error(403, NOT_ALLOWED);
    // Who may not call is not told that the name is wrong.
    one.get("/v1/key/describe/-")
        .await
        .is_error(403, NOT_ALLOWED);
    one.put("/v1/key/create", Value::Null).await.is_error(
        400,
        "key name '' is empty, too long or contains invalid characters",
    );
    world
        .member(2)
        .await
        .get("/v1/status")
        .await
        .is_error(403, NOT_ALLOWED);
    world
        .member(3)
        .await
        .get("/v1/status")
        .await
        .is_error(403, NOT_ALLOWED);
    world.member(3).await.get("/version").await.json();

    let log = world.errors().await;
    for (path, identity, reason) in [
        (
            "/v1/key/create/internal-a",
            1,
            "rule '/v1/key/create/internal*' of policy 'minio' matches\" policy=minio",
        ),
        (
            "/v1/key/describe/a",
            1,
            "no rule of policy 'minio' matches\" policy=minio",
        ),
        (
            "/v1/status",
            2,
            "no rule of policy 'empty' matches\" policy=empty",
        ),
        ("/v1/status", 3, "the identity has no policy\""),
    ] {
        let identity = member(identity).identity().to_string();
        let line = log
            .lines()
            .find(|line| line.contains(&format!(" req.path={path} ")) && line.contains(&identity));
        let line = line.unwrap_or_else(|| panic!("no line for {path} in\n{log}"));
        assert!(
            line.contains(" level=INFO msg=\"request refused\""),
            "{line}"
        );
        assert!(line.contains(reason), "{line}");
        assert!(line.contains("req.ip=127.0.0.1"), "{line}");
    }
}

#[tokio::test]
async fn without_skip_auth_a_certificate_is_part_of_the_handshake() {
    let world = World::new().await;
    for version in [Version::Http1, Version::Http2] {
        let gone = match world.connect(None, version).await {
            Err(_) => true,
            // With TLS 1.3 the client learns of the refusal when it reads.
            Ok(mut client) => {
                let request = http::Request::get("/version").body(Default::default());
                client.open(request.unwrap()).await.is_err()
            }
        };
        assert!(gone);
    }
    assert!(
        world
            .errors()
            .await
            .contains("level=INFO msg=\"TLS handshake failed\"")
    );
}

#[tokio::test]
async fn skip_auth_opens_one_api_and_the_handshake() {
    let world = World::with("api: { /v1/ready: { skip_auth: true } }").await;
    for version in [Version::Http1, Version::Http2] {
        let mut client = world.connect(None, version).await.unwrap();
        client.get("/v1/ready").await.is_empty();
        client.get("/version").await.json();
        for path in [
            "/v1/status",
            "/v1/api",
            "/v1/key/list",
            "/v1/log/error",
            "/v1/key/describe/-",
        ] {
            client.get(path).await.is_error(400, NO_CERTIFICATE);
        }
        client
            .get("/v1/identity/self/describe")
            .await
            .is_error(404, "identity does not exist");
        // The method comes first.
        let answer = client.put("/v1/status", Value::Null).await;
        answer.is_error(405, "received method 'PUT' expected 'GET'");
    }
    world.member(7).await.get("/v1/ready").await.is_empty();
    let mut stranger = world.member(7).await;
    stranger.get("/v1/status").await.is_error(403, NOT_ALLOWED);
    let audit = world.audit().await;
    assert!(
        audit.contains("req.path=/v1/status req.ip=127.0.0.1 res.code=400"),
        "{audit}"
    );
}

#[tokio::test]
async fn a_second_client_certificate_is_refused() {
    let world = World::new().await;
    let certificate = |key: &ApiKey| {
        let der = key
            .client_certificate(Timestamp::now(), &SystemRandom)
            .unwrap();
        certificate_to_pem(&der)
    };
    let admin = crate::support::admin();
    let chain = certificate(&member(1)) + &certificate(&admin);
    let (cert, key) = (
        world.folder.path().join("client.crt"),
        world.folder.path().join("client.key"),
    );
    fs::write(&cert, chain).unwrap();
    fs::write(&key, member(1).to_pem().as_bytes()).unwrap();
    let credential = ClientCredential::from_files(&cert, &key, &|| unreachable!()).unwrap();
    let mut client = world
        .connect(Some(credential), Version::Http2)
        .await
        .unwrap();
    client
        .get("/v1/status")
        .await
        .is_error(400, "tls: received more than one client certificate");
}

#[tokio::test]
async fn error_texts_of_2021_on_request() {
    let world = World::with(&format!(
        "compat: {{ historic_errors: true }}\n{}",
        policies()
    ))
    .await;
    let mut one = world.member(1).await;
    one.create("a").await;
    one.put("/v1/key/create/a", Value::Null)
        .await
        .is_error(400, "key does already exist");
    one.get("/v1/status")
        .await
        .is_error(403, "prohibited by policy");
    let mut admin = world.admin().await;
    admin
        .get("/v1/key/describe/b")
        .await
        .is_error(404, "key does not exist");
}
