//! Bodies that are no commands, and bodies that were lost on the way (MinIO KMS protocol,
//! section 3.3).

use http::Method;
use keystead_wire_kms::message::{CreateEnclaveRequest, EncryptRequest, KeyStatusRequest};
use keystead_wire_kms::{ApiError, Command, MAX_FRAMES};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Client, Payload, VERSIONS, World, frame, unhex, vectors};

/// Sends a head that announces more than what follows, and the end of the connection.
async fn truncated(world: &World, announced: usize, body: &[u8]) -> String {
    let mut stream = world.dial(0).await;
    let head = format!(
        "POST /v1/kms HTTP/1.1\r\nHost: localhost\r\nAccept: application/*\r\n\
         Content-Length: {announced}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    // The server may close without the farewell of TLS.
    stream.read_to_end(&mut answer).await.ok();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn frames_that_are_none_are_refused() {
    let world = World::new().await;
    world.enclave("tenant-a").await;
    for version in VERSIONS {
        let mut root = world.client(0, version).await;
        for vector in vectors("bad_frames").as_array().unwrap() {
            let why = vector["why"].as_str().unwrap();
            let body = unhex(vector["body"].as_str().unwrap());
            let answer = root.commands("tenant-a", body).await;
            if why.starts_with("code differs") {
                // A good request of another command.
                answer.is(&ApiError::KEY_NOT_FOUND);
            } else {
                assert_eq!(answer.status, 400, "{why}: {}", answer.text());
            }
        }
        let empty = root.commands("tenant-a", "").await;
        empty.is_error(400, "invalid request body: no command");
        let unknown = root.commands("tenant-a", unhex("000700000000")).await;
        unknown.is_error(400, "invalid command code 7");
        let no_message = root.commands("tenant-a", unhex("00cd00000001ff")).await;
        no_message.is_error(400, "invalid KEY:ENCRYPT message");
    }
}

#[tokio::test]
async fn an_error_in_the_last_frame_executes_nothing() {
    let world = World::new().await;
    let create = frame(
        Command::CreateEnclave,
        &CreateEnclaveRequest { name: "a".into() },
    );
    let mut root = world.root().await;
    let answer = root
        .commands("", [create, unhex("0065000000")].concat())
        .await;
    answer.is_error(400, "invalid request body: incomplete command header");
    assert!(world.store.state().enclave("a").is_none());
}

#[tokio::test]
async fn a_body_that_was_lost_on_the_way_is_not_executed() {
    let world = World::new().await;
    let create = frame(
        Command::CreateEnclave,
        &CreateEnclaveRequest { name: "a".into() },
    );
    // The whole frame arrives and more was announced.
    let answer = truncated(&world, create.len() + 1, &create).await;
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answer = truncated(&world, create.len(), &create[..create.len() - 1]).await;
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answer = truncated(&world, create.len(), b"").await;
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");

    // Over HTTP/2 the official client sends the head of its first attempt and no body.
    let mut root = world.root().await;
    for body in [Payload::default(), Payload::streamed([create.clone()])] {
        let request = Client::request(Method::POST, "/v1/kms")
            .header("content-length", create.len() + 1)
            .body(body)
            .unwrap();
        if let Ok(response) = root.open(request).await {
            assert_eq!(response.status(), 400);
        }
        root = world.root().await;
    }
    let mut root = world.root().await;
    let unannounced = root
        .call(Method::POST, "/v1/kms", Payload::streamed([""; 0]))
        .await;
    unannounced.is_error(400, "invalid request body: no command");
    assert!(world.store.state().enclave("a").is_none());
}

#[tokio::test]
async fn a_body_without_announced_length_is_taken() {
    let world = World::new().await;
    for (version, name) in VERSIONS.into_iter().zip(["a", "b"]) {
        let create = frame(
            Command::CreateEnclave,
            &CreateEnclaveRequest { name: name.into() },
        );
        let mut root = world.client(0, version).await;
        let (one, two) = create.split_at(3);
        let body = Payload::streamed([one.to_vec(), two.to_vec()]);
        let answer = root.call(Method::POST, "/v1/kms", body).await;
        answer.is_done(Command::CreateEnclave);
    }
}

#[tokio::test]
async fn bodies_have_their_limits() {
    let world = World::new().await;
    world.enclave("e").await;
    world.key("e", "k").await;
    let mut root = world.root().await;

    let encrypt = |length| EncryptRequest {
        name: "k".into(),
        plaintext: vec![0; length],
        version: 0,
        associated_data: Vec::new(),
    };
    let longest = root.ask("e", Command::Encrypt, &encrypt(1 << 20)).await;
    assert_eq!(longest.status, 200);
    let too_long = root
        .ask("e", Command::Encrypt, &encrypt((1 << 20) + 1))
        .await;
    too_long.is_error(413, "data is too large");
    let whole = root.commands("e", vec![0; (16 << 20) + 1]).await;
    whole.is(&ApiError::TOO_LARGE);

    let status = KeyStatusRequest {
        name: "k".into(),
        ..Default::default()
    };
    let status = frame(Command::KeyStatus, &status);
    let most = root.commands("e", status.repeat(MAX_FRAMES)).await;
    assert_eq!(most.status, 200);
    let too_many = root.commands("e", status.repeat(MAX_FRAMES + 1)).await;
    too_many.is_error(413, "too many commands in one request");
}
