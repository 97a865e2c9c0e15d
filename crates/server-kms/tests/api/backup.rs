//! Backup and restore (MinIO KMS protocol, sections 0.4 and 8.1).

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::Method;
use keystead_wire_kms::message::{
    DecryptRequest, DecryptResponse, GenerateKeyRequest, GenerateKeyResponse,
};
use keystead_wire_kms::{ApiError, Command};

use crate::support::{Client, Payload, VERSIONS, World};

async fn filled() -> (World, GenerateKeyResponse) {
    let world = World::new().await;
    world.enclave("tenant-a").await;
    world.key("tenant-a", "my-key").await;
    world
        .user("tenant-a", 1, &[("KEY:DECRYPT", &["*"])], &[])
        .await;
    let mut root = world.root().await;
    let generate = GenerateKeyRequest {
        name: "my-key".into(),
        ..Default::default()
    };
    let answer = root.ask("tenant-a", Command::GenerateKey, &generate).await;
    (world, answer.message(Command::GenerateKey))
}

async fn put(client: &mut Client, path: &str, body: Payload) -> crate::support::Answer {
    let request = Client::request(Method::PUT, path)
        .header("accept", "application/octet-stream, application/*")
        .body(body);
    client.send(request.unwrap()).await
}

/// Pieces of odd sizes.
fn pieces(backup: &[u8]) -> Payload {
    Payload::streamed(backup.chunks(777).map(<[u8]>::to_vec))
}

#[tokio::test]
async fn a_backup_is_restored_on_a_fresh_server() {
    let (world, key) = filled().await;
    for version in VERSIONS {
        let mut root = world.client(0, version).await;
        let backup = root.get("/v1/db").await;
        assert_eq!(backup.status, 200);
        assert_eq!(backup.headers["content-type"], "application/octet-stream");
        assert!(!backup.headers.contains_key("content-encoding"));
        assert!(backup.body.starts_with(b"KSTDBAK1"));

        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&backup.body).unwrap();
        for body in [
            Payload::sized(backup.body.clone()),
            pieces(&backup.body),
            Payload::sized(gzip.finish().unwrap()),
        ] {
            // Another cluster with the same HSM key.
            let fresh = World::new().await;
            let mut root = fresh.client(0, version).await;
            put(&mut root, "/v1/db", body).await.is_empty();
            assert!(*fresh.store.state() == *world.store.state());
            let mut user = fresh.member(1).await;
            let decrypt = DecryptRequest {
                name: "my-key".into(),
                ciphertext: key.ciphertext.clone(),
                ..Default::default()
            };
            let answer = user.ask("tenant-a", Command::Decrypt, &decrypt).await;
            let opened: DecryptResponse = answer.message(Command::Decrypt);
            assert_eq!(opened.plaintext, key.plaintext);
        }
    }
}

#[tokio::test]
async fn a_server_that_holds_something_is_replaced_by_force_only() {
    let (world, _) = filled().await;
    let mut root = world.root().await;
    let backup = root.get("/v1/db").await.body;
    world.enclave("later").await;
    let answer = put(&mut root, "/v1/db", Payload::sized(backup.clone())).await;
    assert_eq!(answer.status, 409);
    assert!(answer.error().message.contains("not empty"));
    assert!(world.store.state().enclave("later").is_some());
    put(&mut root, "/v1/db?force", Payload::sized(backup))
        .await
        .is_empty();
    assert!(world.store.state().enclave("later").is_none());
    assert!(world.store.state().enclave("tenant-a").is_some());
}

#[tokio::test]
async fn a_backup_that_is_cut_or_changed_changes_nothing() {
    let (world, _) = filled().await;
    let mut root = world.root().await;
    let backup = root.get("/v1/db").await.body;
    let fresh = World::new().await;
    let before = fresh.store.state();
    let mut flipped = backup.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    let longer = [&backup[..], b"x"].concat();
    for (what, body) in [
        ("empty", Vec::new()),
        ("something else", b"hello, this is no backup".to_vec()),
        ("cut", backup[..backup.len() - 1].to_vec()),
        ("cut in the header", backup[..20].to_vec()),
        ("flipped", flipped),
        ("longer", longer),
    ] {
        let mut root = fresh.root().await;
        let answer = put(&mut root, "/v1/db?force", Payload::sized(body)).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.error());
    }
    // A body that was announced longer than it is.
    let mut root = fresh.root().await;
    let request = Client::request(Method::PUT, "/v1/db")
        .header("content-length", backup.len() + 1)
        .body(Payload::streamed([backup]));
    if let Ok(response) = root.open(request.unwrap()).await {
        assert_ne!(response.status(), 200);
    }
    assert!(*fresh.store.state() == *before);
    let mut user = fresh.member(1).await;
    let answer = put(&mut user, "/v1/db", Payload::default()).await;
    assert_eq!(answer.error(), ApiError::NOT_ALLOWED);
}

#[tokio::test]
async fn a_new_root_key_changes_nothing_but_itself() {
    let (world, key) = filled().await;
    let mut root = world.root().await;
    let before = root.get("/v1/db").await.body;
    let old = world.store.root_key().id();
    let answer = root
        .call(Method::POST, "/v1/db/rotate", Payload::default())
        .await;
    let new = world.store.root_key().id();
    assert_eq!((answer.status, answer.text()), (200, &*new.to_string()));
    assert_ne!(new, old);
    let mut user = world.member(1).await;
    let decrypt = DecryptRequest {
        name: "my-key".into(),
        ciphertext: key.ciphertext.clone(),
        ..Default::default()
    };
    let answer = user.ask("tenant-a", Command::Decrypt, &decrypt).await;
    let opened: DecryptResponse = answer.message(Command::Decrypt);
    assert_eq!(opened.plaintext, key.plaintext);
    // A backup from before is still good, on this server and on others.
    for world in [&world, &World::new().await] {
        let mut root = world.root().await;
        put(&mut root, "/v1/db?force", Payload::sized(before.clone()))
            .await
            .is_empty();
    }
}
