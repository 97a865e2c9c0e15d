use keystead_wire_kms::message::VersionResponse;
use prost::Message;

use super::client;
use super::server::{Server, ok, refusal};

#[tokio::test]
async fn every_server_is_asked_for_itself() {
    let version = VersionResponse {
        version: "2026-11-21T16-00-00Z".to_owned(),
        host: "kms-a:7373".to_owned(),
        ..Default::default()
    };
    let first = Server::start([ok(version.encode_to_vec()), ok([]), ok([])]).await;
    let second = Server::start([refusal(503, "sealed"), refusal(503, "no leader")]).await;
    let client = client(&[first.host(), second.host()]);

    let versions = client.version().await;
    assert_eq!(versions[0].host, first.host());
    assert_eq!(versions[0].result.as_ref().unwrap(), &version);
    let error = versions[1].result.as_ref().unwrap_err();
    assert_eq!(error.to_string(), "sealed");

    let ready = client.ready(true).await;
    assert!(ready[0].result.is_ok() && ready[1].result.is_err());
    let live = client.live().await;
    assert!(live.iter().all(|answer| answer.result.is_ok()));
    let calls: Vec<_> = first.take().into_iter().map(|seen| seen.call).collect();
    assert_eq!(
        calls,
        [
            "GET /version",
            "GET /v1/health/ready?write",
            "GET /v1/health/live"
        ]
    );
}

#[tokio::test]
async fn restarts_are_for_all_or_for_some() {
    let first = Server::start([]).await;
    let second = Server::start([refusal(501, "not here")]).await;
    let client = client(&[first.host()]);
    client.restart().await.unwrap();
    let answers = client.restart_hosts(&[second.host(), first.host()]).await;
    let answers = answers.unwrap();
    assert_eq!(answers[0].host, second.host());
    assert!(answers[0].result.is_err() && answers[1].result.is_ok());
    let calls: Vec<_> = first.take().into_iter().map(|seen| seen.call).collect();
    assert_eq!(
        calls,
        ["POST /v1/debug/restart", "POST /v1/debug/restart?self"]
    );
    assert!(client.restart_hosts(&["a b"]).await.is_err());
}

#[tokio::test]
async fn a_node_that_joined_is_a_server_of_the_client() {
    let server = Server::start([]).await;
    let client = client(&[server.host()]);
    client.add_node("https://kms-b").await.unwrap();
    assert_eq!(client.hosts(), [server.host(), "kms-b:7373".to_owned()]);
}
