//! Version, health, metrics, restart and profiles.

use std::sync::atomic::Ordering;

use http::Method;
use keystead_wire_kms::message::{
    GenerateKeyRequest, KeyStatusRequest, ProfileStatusResponse, VersionResponse,
};
use keystead_wire_kms::{ApiError, Command};
use prost::Message;
use serde_json::{Value, json};

use crate::support::{Client, Different, Payload, VERSIONS, World, frame, id};

#[tokio::test]
async fn everybody_learns_the_version() {
    let world = World::new().await;
    for version in VERSIONS {
        let mut nobody = world.connect(None, version).await.unwrap();
        let mut get = async |accept| {
            let request = http::Request::get("/version")
                .header("host", "localhost")
                .header("accept", accept)
                .body(Payload::default())
                .unwrap();
            let answer = nobody.send(request).await;
            assert_eq!(answer.status, 200);
            assert_eq!(
                answer.headers["content-length"],
                answer.body.len().to_string()
            );
            answer
        };
        for accept in ["*/*", "application/json"] {
            let answer = get(accept).await;
            assert_eq!(answer.headers["content-type"], "application/json");
            let document: Value = serde_json::from_slice(&answer.body).unwrap();
            let expected = json!({
                "version": "2026-11-21T16-00-00Z",
                "commit": "c0ffee",
                "api_version": "v1",
                "host": "kms0:7373",
                "fips140": false,
            });
            assert_eq!(document, expected);
        }
        for accept in ["application/octet-stream", "application/*"] {
            let answer = get(accept).await;
            assert_eq!(answer.headers["content-type"], "application/octet-stream");
            let message = VersionResponse::decode(answer.body).unwrap();
            assert_eq!(message.host, "kms0:7373");
        }

        let head = nobody
            .call(Method::HEAD, "/version", Payload::default())
            .await;
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.headers["content-type"], "application/octet-stream");
    }
}

#[tokio::test]
async fn everybody_learns_whether_it_works() {
    let world = World::new().await;
    for version in VERSIONS {
        let mut nobody = world.connect(None, version).await.unwrap();
        for path in [
            "/v1/health/live",
            "/v1/health/ready",
            "/v1/health/ready?write",
        ] {
            nobody.get(path).await.is_empty();
        }
    }
}

#[tokio::test]
async fn a_stopped_store_is_not_ready_and_serves_nothing() {
    let world = World::new().await;
    world.enclave("e").await;
    world.key("e", "k").await;
    let mut root = world.root().await;
    world.store.close().await;
    root.get("/v1/health/live").await.is_empty();
    let answer = root.get("/v1/health/ready?write").await;
    answer.is_error(503, "the server is not ready");
    let create = keystead_wire_kms::message::CreateKeyRequest {
        name: "new".into(),
        ..Default::default()
    };
    let answer = root.ask("e", Command::CreateKey, &create).await;
    assert_eq!(answer.status, 503);
}

#[tokio::test]
async fn metrics_are_for_whom_they_are_meant() {
    let world = World::with(Different {
        metrics_identities: vec![id(7)],
        ..Default::default()
    })
    .await;
    world.enclave("e").await;
    world.register("e", 1, "Admin").await;
    for (number, status) in [(0, 200), (7, 200), (1, 403), (5, 403)] {
        let mut client = world.member(number).await;
        assert_eq!(client.get("/v1/health/metrics").await.status, status);
    }
    let mut nobody = world.nobody().await;
    nobody
        .get("/v1/health/metrics")
        .await
        .is(&ApiError::NOT_ALLOWED);

    let open = World::with(Different {
        metrics_public: true,
        ..Default::default()
    })
    .await;
    assert_eq!(
        open.nobody().await.get("/v1/health/metrics").await.status,
        200
    );
}

#[tokio::test]
async fn metrics_have_the_documented_families() {
    let world = World::new().await;
    world.enclave("secret-enclave").await;
    world.key("secret-enclave", "secret-key").await;
    let mut root = world.root().await;
    let generate = GenerateKeyRequest {
        name: "secret-key".into(),
        ..Default::default()
    };
    let generate = frame(Command::GenerateKey, &generate);
    root.commands("secret-enclave", generate.repeat(3)).await;
    let missing = KeyStatusRequest {
        name: "none".into(),
        ..Default::default()
    };
    root.ask("secret-enclave", Command::KeyStatus, &missing)
        .await;
    let answer = root.get("/v1/health/metrics").await;
    assert_eq!(
        answer.headers["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let text = answer.text();
    for line in [
        "# TYPE http counter",
        "http_total{api=\"kms\",code=\"200\"} 3",
        "http_total{api=\"kms\",code=\"404\"} 1",
        "# TYPE http_request counter",
        "# TYPE http_request_inflight gauge",
        "http_request_inflight 1",
        "# TYPE http_request_duration histogram",
        "http_request_duration_count{api=\"kms\"} 4",
        "# TYPE http_request_size histogram",
        "minkms_commands_total{command=\"KEY:GENERATE\",result=\"ok\"} 3",
        "minkms_commands_total{command=\"KEY:STATUS\",result=\"not_found\"} 1",
        "minkms_cluster_nodes{state=\"up\"} 1",
        "minkms_cluster_nodes{state=\"down\"} 0",
        "minkms_cluster_leader 1",
        "minkms_lease_valid 1",
        "minkms_stale_reads_total 0",
        "minkms_hsm_sealed{hsm=\"hsm:minio:soft\"} 1",
        "minkms_audit_dropped_total 0",
        "minkms_build_info{commit=\"c0ffee\",fips=\"false\",version=\"2026-11-21T16-00-00Z\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let commit = format!("minkms_cluster_commit {}\n", world.store.state().commit());
    assert!(text.contains(&commit), "{text}");
    assert!(
        text.ends_with("# EOF\n") && !text.contains("secret"),
        "{text}"
    );
    assert!(!text.contains("unused"));
    while !text_of(&mut root)
        .await
        .contains("minkms_hsm_up{hsm=\"hsm:minio:soft\"} 1\n")
    {}
}

async fn text_of(root: &mut Client) -> String {
    root.get("/v1/health/metrics").await.text().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_answered_before_it_happens() {
    let world = World::new().await;
    let mut root = world.root().await;
    for path in ["/v1/debug/restart?self", "/v1/debug/restart"] {
        let before = world.restarts.load(Ordering::SeqCst);
        let answer = root.call(Method::POST, path, Payload::default()).await;
        answer.is_empty();
        while world.restarts.load(Ordering::SeqCst) == before {
            tokio::task::yield_now().await;
        }
    }
    let world = World::with(Different {
        no_restart: true,
        ..Default::default()
    })
    .await;
    let mut root = world.root().await;
    let answer = root
        .call(Method::POST, "/v1/debug/restart", Payload::default())
        .await;
    answer.is_error(501, "this server cannot restart itself");
}

#[tokio::test]
async fn profiling_says_what_it_cannot_do() {
    let world = World::new().await;
    let mut root = world.root().await;
    let request = Client::request(Method::GET, "/v1/debug/pprof")
        .header("accept", "application/octet-stream")
        .body(Payload::default());
    let answer = root.send(request.unwrap()).await;
    assert_eq!(answer.headers["content-type"], "application/octet-stream");
    assert_eq!(answer.headers["content-length"], "0");
    let status = ProfileStatusResponse::decode(answer.body).unwrap();
    assert_eq!(status, ProfileStatusResponse::default());
    for method in [Method::POST, Method::DELETE] {
        let path = "/v1/debug/pprof?heap=true";
        let answer = root.call(method, path, Payload::default()).await;
        assert_eq!(answer.status, 501);
    }
}
