use serde_json::json;

use crate::support::World;

#[tokio::test]
async fn version_and_status() {
    let world = World::new().await;
    let mut client = world.admin().await;
    assert_eq!(
        client.get("/version").await.text(),
        "{\"version\":\"2026-11-21T16-00-00Z\",\"commit\":\"c0ffee\"}\n"
    );
    client.get("/v1/ready").await.is_empty();
    let status = client.get("/v1/status").await.json();
    assert_eq!(status["version"], "2026-11-21T16-00-00Z");
    assert_eq!(
        status["os"],
        if cfg!(target_os = "macos") {
            "darwin"
        } else {
            std::env::consts::OS
        }
    );
    assert!(["amd64", "arm64"].contains(&status["arch"].as_str().unwrap()));
    assert_eq!(status["uptime"], json!(0));
    for figure in ["num_cpu", "num_cpu_used", "keystore_latency"] {
        assert!(status[figure].as_u64().unwrap() >= 1, "{figure}");
    }
    for figure in ["mem_heap_used", "mem_stack_used"] {
        assert!(status[figure].is_u64(), "{figure}");
    }
    assert_eq!(status.as_object().unwrap().len(), 9);
}

#[tokio::test]
async fn the_api_lists_itself() {
    let world =
        World::with("api: { /v1/ready: { timeout: 20s }, /v1/key/create/: { timeout: 1500ms } }")
            .await;
    let mut client = world.admin().await;
    let apis = client.get("/v1/api").await.json();
    let apis = apis.as_array().unwrap();
    assert_eq!(apis.len(), 23);
    for api in [
        json!({ "method": "PUT", "path": "/v1/key/create/", "max_body": 0, "timeout": 1 }),
        json!({ "method": "PUT", "path": "/v1/key/generate/", "max_body": 1_000_000, "timeout": 15 }),
        json!({ "method": "PUT", "path": "/v1/key/bulk/decrypt/", "max_body": 1_000_000, "timeout": 15 }),
        json!({ "method": "GET", "path": "/version", "max_body": 0, "timeout": 10 }),
        json!({ "method": "GET", "path": "/v1/ready", "max_body": 0, "timeout": 20 }),
        json!({ "method": "GET", "path": "/v1/log/audit", "max_body": 0, "timeout": 0 }),
    ] {
        assert!(apis.contains(&api), "{api}");
    }
}

/// The samples of the metrics document, without comments.
async fn samples(world: &World) -> Vec<String> {
    let answer = world.admin().await.get("/v1/metrics").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let lines = answer.text().lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn metrics_count_authorised_key_policy_and_identity_calls() {
    let world = World::new().await;
    let mut stranger = world.member(1).await;
    let mut client = world.admin().await;
    // None of these counts.
    for path in ["/version", "/v1/ready", "/v1/status", "/v1/api", "/nowhere"] {
        client.get(path).await;
    }
    client.get("/v1/key/create/k").await;
    stranger.get("/v1/key/describe/k").await;
    let before = samples(&world).await;
    assert!(
        !before
            .iter()
            .any(|line| line.starts_with("kes_http_request_success"))
    );
    assert!(before.contains(&"kes_http_response_time_count 0".to_owned()));

    client.create("k").await;
    client.get("/v1/key/list").await;
    client.get("/v1/policy/list").await;
    client.get("/v1/identity/self/describe").await;
    client.get("/v1/key/describe/-").await;
    client.get("/v1/key/describe/other").await;
    world.store.turn(crate::support::Health::Failing);
    client.get("/v1/key/describe/k").await;
    let after = samples(&world).await;
    for line in [
        "kes_http_request_success{code=\"200\"} 4",
        "kes_http_request_error{code=\"400\"} 1",
        "kes_http_request_error{code=\"404\"} 1",
        "kes_http_request_failure{code=\"502\"} 1",
        "kes_http_request_active 0",
        "kes_http_response_time_count 7",
    ] {
        assert!(after.contains(&line.to_owned()), "{line}");
    }
}
