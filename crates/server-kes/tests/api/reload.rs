use std::fs;

use keystead_server_kes::Error;
use serde_json::json;
use tokio::task::{JoinSet, yield_now};
use tokio_util::sync::CancellationToken;

use crate::support::world::{config, write_certificate};
use crate::support::{self, Health, Version, World, member};

fn policy(allow: &str) -> String {
    let identity = member(1).identity().clone();
    format!(
        "policy: {{ p: {{ allow: [ {allow} ], identities: [ {identity} ] }} }}\nkeys: [ {{ name: wanted }} ]"
    )
}

#[tokio::test]
async fn a_reload_reaches_open_connections() {
    let world = World::with(&policy("/v1/status")).await;
    let mut admin = world.admin().await;
    let mut client = world.member(1).await;
    client.get("/v1/status").await.json();
    admin.get("/v1/key/describe/wanted").await.json();
    let uptime = admin.get("/v1/metrics").await;
    assert!(
        uptime
            .text()
            .contains("kes_http_request_success{code=\"200\"} 1")
    );

    let (settings, store) = world.settings("", &policy("/v1/key/list"));
    world.server.reload(settings).await.unwrap();
    client.get("/v1/key/list").await.json();
    client
        .get("/v1/status")
        .await
        .is_error(403, "not authorized: insufficient permissions");
    // The cache is new, the counters are not.
    assert_eq!(store.reads(), 0);
    admin.get("/v1/key/describe/wanted").await.json();
    assert_eq!(store.reads(), 1);
    let metrics = admin.get("/v1/metrics").await;
    assert!(
        metrics
            .text()
            .contains("kes_http_request_success{code=\"200\"} 3")
    );

    while !world.store.is_closed() {
        yield_now().await;
    }
    assert!(!store.is_closed());
    world.server.shutdown().await;
    assert!(store.is_closed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_succeed_through_reloads() {
    let world = World::new().await;
    world.admin().await.create("k").await;
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    for version in [Version::Http1, Version::Http2, Version::Http2] {
        let mut client = world.client(&support::admin(), version).await;
        let stop = stop.clone();
        tasks.spawn(async move {
            let mut requests = 0;
            while !stop.is_cancelled() {
                let sealed = client.put("/v1/key/generate/k", json!({})).await.json();
                let body = json!({ "ciphertext": sealed["ciphertext"] });
                let opened = client.put("/v1/key/decrypt/k", body).await.json();
                assert_eq!(opened["plaintext"], sealed["plaintext"]);
                requests += 2;
            }
            requests
        });
    }
    for _ in 0..50 {
        world.server.reload(world.same_settings()).await.unwrap();
        yield_now().await;
    }
    stop.cancel();
    let requests = tasks.join_all().await;
    assert!(requests.iter().all(|count| *count > 0), "{requests:?}");
}

#[tokio::test]
async fn the_former_key_store_is_closed_after_its_last_request() {
    let world = World::new().await;
    let mut admin = world.admin().await;
    world.store.turn(Health::Hanging);
    let request = http::Request::put("/v1/key/create/k").body(Default::default());
    let pending = admin.open(request.unwrap());
    tokio::pin!(pending);
    tokio::select! {
        biased;
        answer = &mut pending => panic!("{answer:?}"),
        () = world.wait_for_active(1) => {}
    }
    let (settings, _) = world.settings("", "");
    world.server.reload(settings).await.unwrap();
    world.admin().await.get("/v1/status").await.json();
    assert!(!world.store.is_closed());
    // The request is cut with the connection, and with it ends the use of the store.
    world.server.shutdown().await;
    assert!(pending.await.is_err());
    assert!(world.store.is_closed());
}

#[tokio::test]
async fn a_reload_that_fails_changes_nothing() {
    let world = World::with(&policy("/v1/status")).await;
    let (settings, store) = world.settings("", &policy("/v1/key/list"));
    store.turn(Health::Unreachable);
    let error = world.server.reload(settings).await.unwrap_err();
    assert!(
        matches!(&error, Error::CreateKey { name, .. } if name == "wanted"),
        "{error}"
    );
    while !store.is_closed() {
        yield_now().await;
    }
    let mut client = world.member(1).await;
    client.get("/v1/status").await.json();
    client
        .get("/v1/key/list")
        .await
        .is_error(403, "not authorized: insufficient permissions");
    world.admin().await.create("k").await;
    assert!(!world.store.is_closed());
}

#[tokio::test]
async fn tls_is_reloaded_alone() {
    let world = World::with("api: { /v1/ready: { skip_auth: true } }").await;
    let mut open = world.admin().await;
    let before = open.server.clone();

    let folder = world.folder.path();
    let key = write_certificate(folder, "kes.example.net");
    assert_ne!(before, *key.identity());
    let tls = config(folder, "", "").tls;
    world.server.reload_tls(&tls).await.unwrap();
    assert_eq!(world.admin().await.server, *key.identity());
    open.get("/v1/status").await.json();
    // What relaxes the handshake is not in the tls section.
    let mut anonymous = world.connect(None, Version::Http1).await.unwrap();
    anonymous.get("/v1/ready").await.is_empty();

    fs::write(folder.join("server.crt"), "nonsense").unwrap();
    assert!(matches!(
        world.server.reload_tls(&tls).await,
        Err(Error::Tls(_))
    ));
    assert_eq!(world.admin().await.server, *key.identity());
}
