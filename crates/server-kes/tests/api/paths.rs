use http::Method;
use serde_json::Value;

use crate::support::{Payload, Version, World, admin};

const VERSIONS: [Version; 2] = [Version::Http1, Version::Http2];

#[tokio::test]
async fn unknown_paths() {
    let world = World::new().await;
    for version in VERSIONS {
        // Nobody has to be known for this.
        let mut client = world.client(&crate::support::member(9), version).await;
        for path in [
            "/",
            "/v1",
            "/v1/status/",
            "/v1%2Fstatus",
            "/v1/key/",
            "/v1/key/create/a/b",
            "/v1/key/create%2Fa",
            "/v1/enclave/create/x",
            "/V1/status",
        ] {
            for method in [Method::GET, Method::PUT, Method::DELETE] {
                let answer = client.call(method, path, Payload::default()).await;
                assert_eq!(
                    (answer.status, answer.text()),
                    (404, "404 page not found\n"),
                    "{path}"
                );
                assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
                assert_eq!(answer.headers["x-content-type-options"], "nosniff");
            }
        }
        let answer = client.get("/v1/key/create/%zz").await;
        assert_eq!(answer.status, 400);
    }
}

#[tokio::test]
async fn paths_are_decoded_after_routing_and_queries_ignored() {
    let world = World::new().await;
    for version in VERSIONS {
        let mut client = world.client(&admin(), version).await;
        for path in [
            "/%76ersion",
            "/version?enclave=x",
            "/v1/%73tatus?",
            "/v1/api?a=/b/../c",
        ] {
            client.get(path).await.json();
        }
        let name = format!("/v1/key/create/{version:?}%2Dkey?enclave=tenant");
        client.put(&name, Value::Null).await.is_empty();
        client
            .get(&format!("/v1/key/describe/{version:?}-key"))
            .await
            .json();
    }
}

#[tokio::test]
async fn unclean_paths_are_redirected() {
    let world = World::new().await;
    let mut client = world.admin().await;
    for (path, location) in [
        ("/v1//status", "/v1/status"),
        ("/v1/./status?x=y", "/v1/status?x=y"),
        ("/v1/key/create/../../status", "/v1/status"),
        ("/v1/key/describe/..", "/v1/key"),
        ("/../../etc/passwd", "/etc/passwd"),
        ("//version", "/version"),
    ] {
        let answer = client.get(path).await;
        assert_eq!(
            (answer.status, &answer.headers["location"]),
            (301, &location.parse().unwrap())
        );
        assert!(answer.text().contains(location));
        let answer = client.put(path, Value::Null).await;
        assert_eq!((answer.status, answer.text()), (301, ""));
    }
}

#[tokio::test]
async fn a_missing_last_slash_means_an_empty_name() {
    let world = World::new().await;
    let mut client = world.admin().await;
    let empty = "key name '' is empty, too long or contains invalid characters";
    for operation in [
        "create",
        "import",
        "generate",
        "encrypt",
        "decrypt",
        "bulk/decrypt",
        "hmac",
    ] {
        client
            .put(&format!("/v1/key/{operation}"), Value::Null)
            .await
            .is_error(400, empty);
    }
    client.get("/v1/key/describe").await.is_error(400, empty);
    client.delete("/v1/key/delete").await.is_error(400, empty);
    client.get("/v1/identity/describe").await.is_error(
        400,
        "identity '' is empty, too long or contains invalid characters",
    );
    for group in ["key", "policy", "identity"] {
        client.get(&format!("/v1/{group}/list")).await.json();
    }
}
