use serde_json::{Value, json};

use crate::support::{Health, World};

#[tokio::test]
async fn cached_keys_outlive_the_key_store() {
    for health in [Health::Unreachable, Health::Failing] {
        let world = World::new().await;
        let mut client = world.admin().await;
        for name in ["warm", "cold"] {
            client.create(name).await;
        }
        let data_key = client
            .put("/v1/key/generate/warm", Value::Null)
            .await
            .json();
        let body = json!({ "ciphertext": data_key["ciphertext"] });
        world.store.turn(health);
        let reads = world.store.reads();

        let opened = client
            .put("/v1/key/decrypt/warm", body.clone())
            .await
            .json();
        assert_eq!(opened["plaintext"], data_key["plaintext"]);
        for operation in ["generate", "encrypt", "hmac"] {
            client
                .put(&format!("/v1/key/{operation}/warm"), json!({}))
                .await
                .json();
        }
        client
            .put("/v1/key/bulk/decrypt/warm", json!([body]))
            .await
            .json();
        client.get("/v1/key/describe/warm").await.json();
        assert_eq!(world.store.reads(), reads);

        for operation in ["generate", "encrypt", "decrypt", "hmac"] {
            client
                .put(&format!("/v1/key/{operation}/cold"), json!({}))
                .await
                .is_error(502, "failed to read key");
        }
        client
            .put("/v1/key/bulk/decrypt/cold", json!([]))
            .await
            .is_error(502, "failed to read key");
        client
            .get("/v1/key/describe/cold")
            .await
            .is_error(502, "failed to read key");

        let import = json!({ "bytes": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" });
        for (operation, body) in [("create", Value::Null), ("import", import)] {
            client
                .put(&format!("/v1/key/{operation}/warm"), body.clone())
                .await
                .is_error(400, "key already exists");
            client
                .put(&format!("/v1/key/{operation}/cold"), body)
                .await
                .is_error(502, "failed to create key");
        }
        for name in ["warm", "cold"] {
            client
                .delete(&format!("/v1/key/delete/{name}"))
                .await
                .is_error(502, "failed to delete key");
        }
        client.get("/v1/key/describe/warm").await.json();
        client
            .get("/v1/key/list")
            .await
            .is_error(502, "failed to list keys");
        let ready = client.get("/v1/ready").await;
        if health == Health::Unreachable {
            ready.is_error(504, "key store is not reachable");
        } else {
            ready.is_error(502, "key store is unavailable");
        }
        let status = client.get("/v1/status").await.json();
        assert_eq!(status["keystore_unreachable"], true);
        assert!(status.get("keystore_latency").is_none());
        assert!(status.get("keystore_unavailable").is_none());

        let log = world.errors().await;
        let cause = match health {
            Health::Unreachable => "the cable is cut",
            _ => "the disk is on fire",
        };
        let line = log
            .lines()
            .find(|line| line.contains("req.path=/v1/key/describe/cold"));
        let line = line.unwrap_or_else(|| panic!("{log}"));
        assert!(
            line.contains("level=ERROR") && line.contains(cause),
            "{line}"
        );

        world.store.turn(Health::Good);
        client.get("/v1/key/describe/cold").await.json();
        client.get("/v1/ready").await.is_empty();
        client.delete("/v1/key/delete/warm").await.is_empty();
        client
            .get("/v1/key/describe/warm")
            .await
            .is_error(404, "key does not exist");
    }
}

#[tokio::test]
async fn missing_keys_are_asked_for_every_time() {
    let world = World::new().await;
    let mut client = world.admin().await;
    client
        .get("/v1/key/describe/new")
        .await
        .is_error(404, "key does not exist");
    // Another server on the same key store makes it.
    let mut elsewhere = world.admin().await;
    elsewhere.create("new").await;
    client.get("/v1/key/describe/new").await.json();
    assert_eq!(world.store.reads(), 2);
    client.get("/v1/key/describe/new").await.json();
    assert_eq!(world.store.reads(), 2);
}

#[tokio::test]
async fn a_request_that_the_client_gives_up_is_audited() {
    let world = World::new().await;
    let mut client = world.admin().await;
    world.store.turn(Health::Hanging);
    let request = http::Request::put("/v1/key/create/k").body(Default::default());
    tokio::select! {
        biased;
        answer = client.open(request.unwrap()) => panic!("{answer:?}"),
        () = world.wait_for_active(1) => {}
    }
    drop(client);
    world.wait_for_active(0).await;
    let audit = world.audit().await;
    assert!(
        audit.contains("req.path=/v1/key/create/k ") && audit.contains("res.code=499"),
        "{audit}"
    );
}
