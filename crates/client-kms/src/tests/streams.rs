use keystead_wire_kms::message::LogRequest;

use super::server::{Reply, Server, ok, refusal};
use super::{client_of, hex, section};
use crate::{Download, Error, Profiles};

async fn all(mut download: Download) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(piece) = download.next().await.unwrap() {
        bytes.extend_from_slice(&piece);
    }
    bytes
}

#[tokio::test]
async fn log_records_are_those_of_the_vectors() {
    let server = Server::start([ok(hex(&section("log_stream")["body"]))]).await;
    let vector = section("log_request_without_since");
    let request = LogRequest {
        level: 4,
        message: "m".to_owned(),
        since: Some(prost_types::Timestamp {
            seconds: -62_135_596_800,
            nanos: 0,
        }),
        trace_level: 8,
    };
    let client = client_of(&server);
    let mut records = client.logs(Some(&server.host()), &request).await.unwrap();
    let seen = server.take();
    assert_eq!(seen[0].call, "POST /v1/debug/log");
    assert_eq!(seen[0].body, hex(&vector["body"]));
    for vector in section("log_stream")["records"].as_array().unwrap() {
        let record = records.next().await.unwrap().unwrap();
        assert_eq!(vector["message"], *record.message);
        assert_eq!(vector["level"], record.level);
    }
    assert!(records.next().await.unwrap().is_none());
}

#[tokio::test]
async fn other_documents_are_no_log() {
    let server = Server::start([Reply::Answer(200, "text/html", b"<p>".to_vec())]).await;
    let logs = client_of(&server).logs(None, &LogRequest::default()).await;
    assert!(matches!(logs.err(), Some(Error::Response { .. })));
}

#[tokio::test]
async fn backups_go_both_ways() {
    let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
    let server = Server::start([ok(content.clone()), ok([]), refusal(409, "not fresh")]).await;
    let client = client_of(&server);
    let backup = client.read_db().await.unwrap();
    assert_eq!(backup.host(), server.host());
    assert!(all(backup).await == content);

    let length = u64::try_from(content.len()).unwrap();
    let host = server.host();
    client
        .write_db(&host, content.clone(), length, true)
        .await
        .unwrap();
    let error = client.write_db(&host, "x", 1, false).await.unwrap_err();
    assert_eq!(error.to_string(), "not fresh");
    let seen = server.take();
    assert_eq!(seen[0].call, "GET /v1/db");
    assert_eq!(seen[1].call, "PUT /v1/db?force");
    assert_eq!(
        seen[1].headers,
        format!("application/octet-stream||{length}")
    );
    assert!(seen[1].body == content);
    assert_eq!(seen[2].call, "PUT /v1/db");
}

#[tokio::test]
async fn a_new_root_key_has_an_id() {
    let server = Server::start([Reply::Answer(200, "text/plain", b"00ff".to_vec())]).await;
    assert_eq!(client_of(&server).rotate_root().await.unwrap(), "00ff");
    assert_eq!(server.take()[0].call, "POST /v1/db/rotate");
}

#[tokio::test]
async fn profiles_begin_and_end() {
    let server = Server::start([ok([]), ok([0x10, 1, 0x18, 1]), ok(*b"tar")]).await;
    let client = client_of(&server);
    let hosts = [server.host()];
    let profiles = Profiles {
        cpu: true,
        heap: true,
        ..Profiles::default()
    };
    let started = client.start_profiling(&hosts, profiles).await.unwrap();
    assert!(started[0].result.is_ok());
    let status = client.profiling_status(&hosts).await.unwrap();
    let status = status[0].result.as_ref().unwrap();
    assert!(status.cpu && status.heap && !status.thread);
    let archive = client.stop_profiling(&hosts[0]).await.unwrap();
    assert_eq!(all(archive).await, b"tar");
    let calls: Vec<_> = server.take().into_iter().map(|seen| seen.call).collect();
    assert_eq!(
        calls,
        [
            "POST /v1/debug/pprof?cpu=true&heap=true",
            "GET /v1/debug/pprof",
            "DELETE /v1/debug/pprof"
        ]
    );
}
