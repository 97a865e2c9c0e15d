//! The audit log (MinIO KMS protocol, section 0.7).

use http::Method;
use keystead_observe::ChainVerifier;
use keystead_wire_kms::message::{
    CreateKeyRequest, DecryptRequest, EncryptRequest, GenerateKeyRequest, ListRequest,
};
use keystead_wire_kms::{ApiError, Command};
use serde_json::{Value, json};

use crate::support::{Payload, World, frame, id};

/// The records so far, of which the first `skip` are left out.
async fn records(world: &World, skip: usize) -> Vec<Value> {
    let text = world.audit().await;
    let mut verifier = ChainVerifier::new();
    verifier.read(text.as_bytes()).unwrap();
    let lines = text.lines().skip(skip);
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn a_record_tells_who_did_what_and_why() {
    let world = World::new().await;
    world.enclave("e").await;
    world.key("e", "my-key").await;
    world
        .user("e", 1, &[("KEY:GENERATE", &["my-*"])], &[])
        .await;
    let skip = records(&world, 0).await.len();
    let mut user = world.member(1).await;
    let generate = GenerateKeyRequest {
        name: "my-key".into(),
        ..Default::default()
    };
    let generate = frame(Command::GenerateKey, &generate);
    assert_eq!(user.commands("e", generate.repeat(3)).await.status, 200);
    user.ask("e", Command::ListKeys, &ListRequest::default())
        .await
        .is(&ApiError::NOT_ALLOWED);
    let mut root = world.root().await;
    let decrypt = DecryptRequest {
        name: "my-key".into(),
        version: 1,
        ciphertext: vec![1; 44],
        ..Default::default()
    };
    root.ask("e", Command::Decrypt, &decrypt)
        .await
        .is(&ApiError::INVALID_CIPHERTEXT);
    let mut nobody = world.nobody().await;
    nobody
        .commands("e", generate.clone())
        .await
        .is(&ApiError::NOT_ALLOWED);
    root.get("/v1/db").await;
    // Neither version nor health.
    root.get("/version").await;
    root.get("/v1/health/live").await;

    let records = records(&world, skip).await;
    assert_eq!(records.len(), 5);
    let [generated, refused, failed, unknown, backup] = &records[..] else {
        panic!("{records:?}");
    };
    assert_eq!(generated["v"], 1);
    assert_eq!(generated["node"], "kms0:7373");
    assert_eq!(generated["ip"], "127.0.0.1");
    assert_eq!(generated["identity"], id(1).to_string());
    assert_eq!(generated["privilege"], "User");
    assert_eq!(generated["method"], "POST");
    assert_eq!(generated["path"], "/v1/kms/e");
    assert_eq!(generated["enclave"], "e");
    let command = json!([{"command":"KEY:GENERATE","name":"my-key","version":1,"count":3}]);
    assert_eq!(generated["commands"], command);
    assert_eq!(
        (&generated["status"], &generated["error"]),
        (&json!(200), &json!(""))
    );
    assert_eq!(generated["reason"], "allow KEY:GENERATE my-*");
    assert_eq!(generated["id"].as_str().unwrap().len(), 16);
    assert!(generated["micros"].is_u64() && generated["forwarded_by"] == "");

    assert_eq!(refused["status"], 403);
    assert_eq!(refused["error"], "access denied: insufficient permissions");
    assert_eq!(refused["reason"], "no rule for KEY:LIST");
    assert_eq!(
        (&failed["status"], &failed["reason"]),
        (&json!(400), &json!("root"))
    );
    assert_eq!(failed["privilege"], "SysAdmin");
    assert_eq!(failed["commands"][0]["version"], 1);
    assert_eq!(
        (&unknown["identity"], &unknown["privilege"]),
        (&json!(""), &json!(""))
    );
    assert_eq!(unknown["commands"], json!([]));
    assert_eq!(
        (&backup["path"], &backup["method"]),
        (&json!("/v1/db"), &json!("GET"))
    );
    assert_eq!(backup["reason"], "root");
}

#[tokio::test]
async fn different_commands_of_a_batch_stand_for_themselves() {
    let world = World::new().await;
    world.enclave("e").await;
    for name in ["a", "b"] {
        world.key("e", name).await;
    }
    let skip = records(&world, 0).await.len();
    let mut root = world.root().await;
    let encrypt = |name: &str| {
        let request = EncryptRequest {
            name: name.into(),
            version: 0,
            plaintext: Vec::new(),
            associated_data: Vec::new(),
        };
        frame(Command::Encrypt, &request)
    };
    let body = [encrypt("b"), encrypt("a"), encrypt("b")].concat();
    assert_eq!(root.commands("e", body).await.status, 200);
    let records = records(&world, skip).await;
    let folded = json!([
        {"command":"KEY:ENCRYPT","name":"a","version":1,"count":1},
        {"command":"KEY:ENCRYPT","name":"b","version":1,"count":2},
    ]);
    assert_eq!(records[0]["commands"], folded);
}

#[tokio::test]
async fn hostile_names_stay_inside_their_record() {
    let world = World::new().await;
    world.enclave("e").await;
    let skip = records(&world, 0).await.len();
    let mut root = world.root().await;
    let list = ListRequest {
        prefix: format!("\n\"}}{}", "x".repeat(100_000)),
        ..Default::default()
    };
    assert_eq!(root.ask("e", Command::ListKeys, &list).await.status, 200);
    root.call(Method::POST, "/v1/kms/%0a%22", Payload::default())
        .await;
    let records = records(&world, skip).await;
    let name = records[0]["commands"][0]["name"].as_str().unwrap();
    assert!(name.len() <= 256 && name.starts_with("\n\"}xxx"));
    assert_eq!(records[1]["enclave"], "\n\"");
}

#[tokio::test]
async fn a_change_is_recorded_once() {
    let world = World::new().await;
    world.enclave("e").await;
    let skip = records(&world, 0).await.len();
    let mut root = world.root().await;
    let create = CreateKeyRequest {
        name: "k".into(),
        ..Default::default()
    };
    root.change("e", Command::CreateKey, &create).await;
    let records = records(&world, skip).await;
    assert_eq!(records.len(), 1);
    let command = json!([{"command":"KEY:CREATE","name":"k","version":0,"count":1}]);
    assert_eq!(records[0]["commands"], command);
}
