//! The golden requests and answers, byte for byte, over both versions of HTTP.

use std::sync::atomic::{AtomicI64, Ordering};

use http::Method;
use jiff::Timestamp;
use keystead_wire_kms::message::{
    AssignPolicyRequest, CreateEnclaveRequest, CreateIdentityRequest, CreateKeyRequest,
    DeleteIdentityRequest, DeleteKeyRequest, EncryptRequest, EncryptResponse, ListRequest,
};
use keystead_wire_kms::{Command, Privilege};

use crate::support::world::policy_request;
use crate::support::{
    Client, Different, GOLDEN, GOLDEN_OTHER, Payload, VERSIONS, World, id, unhex, vectors,
};

/// 2023-11-14T22:13:20Z
const GOLDEN_SECOND: i64 = 1_700_000_000;

fn golden_time() -> Timestamp {
    Timestamp::from_second(GOLDEN_SECOND).unwrap()
}

/// What has to exist before a golden request.
async fn prepare(world: &World, root: &mut Client, name: &str) {
    let key = |name: &str, add_version| CreateKeyRequest {
        name: name.into(),
        add_version,
        ..Default::default()
    };
    let (create, e) = (Command::CreateKey, "tenant-a");
    match name {
        "ENCLAVE:STATUS x2 (batch)" => {
            for name in ["a", "b"] {
                world.enclave(name).await;
            }
        }
        "KEY:CREATE, server picks type" => {
            let request = CreateEnclaveRequest { name: e.into() };
            root.change("", Command::CreateEnclave, &request).await;
        }
        "KEY:STATUS version 2" => root.change(e, create, &key("my-key", true)).await,
        "KEY:ENCRYPT" => {
            root.change(e, create, &key("k", false)).await;
            root.change(e, create, &key("k", true)).await;
            root.change(e, create, &key("k", true)).await;
        }
        "POLICY:ASSIGN" => {
            world.register(e, GOLDEN, "User").await;
            let policy = policy_request("p", &[], &[]);
            root.change(e, Command::CreatePolicy, &policy).await;
        }
        _ => {}
    }
}

#[tokio::test]
async fn every_golden_request_is_answered() {
    // Root creates no service accounts; the others name what does not exist.
    let failures = [
        ("CLUSTER:ADDNODE", 501),
        ("CLUSTER:REMOVENODE", 404),
        ("CLUSTER:EDIT", 404),
        ("CLUSTER:ADDHSM", 404),
        ("CLUSTER:REMOVEHSM", 404),
        ("KEY:DECRYPT as sent by MinIO (no version)", 400),
        ("IDENTITY:CREATE", 400),
    ];
    for version in VERSIONS {
        let world = World::new().await;
        let mut root = world.client(0, version).await;
        let mut seen = 0;
        for vector in vectors("requests").as_array().unwrap() {
            let (name, path) = (vector["name"].as_str().unwrap(), &vector["path"]);
            println!("{version:?} {name}");
            prepare(&world, &mut root, name).await;
            let request = Client::request(Method::POST, path.as_str().unwrap());
            let body = Payload::sized(unhex(vector["body"].as_str().unwrap()));
            let answer = root.send(request.body(body).unwrap()).await;
            let failure = failures.iter().find(|(failing, _)| *failing == name);
            let expected = failure.map_or(200, |(_, status)| *status);
            assert_eq!(answer.status, expected, "{name}: {}", answer.error());
            seen += 1;
        }
        assert_eq!(seen, 29);
    }
}

/// The golden answer of a name.
fn golden(name: &str) -> Vec<u8> {
    let vectors = vectors("responses");
    let mut vectors = vectors.as_array().unwrap().iter();
    let vector = vectors.find(|vector| vector["name"] == name).unwrap();
    unhex(vector["body"].as_str().unwrap())
}

/// The golden request whose name starts so.
fn golden_request(name: &str) -> Vec<u8> {
    let vectors = vectors("requests");
    let mut vectors = vectors.as_array().unwrap().iter();
    let found = vectors.find(|vector| vector["name"].as_str().unwrap().starts_with(name));
    unhex(found.unwrap()["body"].as_str().unwrap())
}

#[tokio::test]
async fn answers_are_the_golden_ones() {
    let world = World::with(Different {
        root: GOLDEN,
        clock: golden_time,
        ..Default::default()
    })
    .await;
    let mut root = world.root().await;
    world.enclave("a").await;
    world.enclave("tenant-a").await;
    let e = "tenant-a";
    let key = |name: &str, add_version| CreateKeyRequest {
        name: name.into(),
        add_version,
        ..Default::default()
    };
    let status = keystead_wire_kms::message::EnclaveStatusRequest { name: "a".into() };
    let answer = root.ask("", Command::EnclaveStatus, &status).await;
    assert_eq!(answer.body, golden("ENCLAVE:STATUS"));

    let list = root
        .ask(e, Command::ListKeys, &ListRequest::default())
        .await;
    assert_eq!(list.body, golden("KEY:LIST empty"));

    root.change(e, Command::CreateKey, &key("my-key", false))
        .await;
    root.change(e, Command::CreateKey, &key("my-key", true))
        .await;
    let answer = root
        .commands(e, golden_request("KEY:STATUS version 2"))
        .await;
    assert_eq!(answer.body, golden("KEY:STATUS"));

    root.change(e, Command::CreateKey, &key("a", false)).await;
    root.change(e, Command::CreateKey, &key("b", false)).await;
    let page = ListRequest {
        limit: 1,
        ..Default::default()
    };
    let answer = root.ask(e, Command::ListKeys, &page).await;
    assert_eq!(answer.body, golden("KEY:LIST page"));

    let encrypt = EncryptRequest {
        name: "a".into(),
        plaintext: b"pt".to_vec(),
        version: 0,
        associated_data: Vec::new(),
    };
    let answer = root.ask(e, Command::Encrypt, &encrypt).await;
    let sealed: EncryptResponse = answer.message(Command::Encrypt);
    let decrypt = keystead_wire_kms::message::DecryptRequest {
        name: "a".into(),
        ciphertext: sealed.ciphertext,
        ..Default::default()
    };
    let answer = root.ask(e, Command::Decrypt, &decrypt).await;
    assert_eq!(answer.body, golden("KEY:DECRYPT"));

    let policy = policy_request("p", &[("KEY:CREATE", &["my-key*"])], &[]);
    root.change(e, Command::CreatePolicy, &policy).await;
    let answer = root.commands(e, golden_request("POLICY:GET")).await;
    assert_eq!(answer.body, golden("POLICY:GET"));

    // Answers of random content have the golden shape.
    for (request, response) in [("KEY:GENERATE", "KEY:GENERATE"), ("KEY:MAC", "KEY:MAC")] {
        let answer = root.commands(e, golden_request(request)).await;
        assert_eq!(answer.body.len(), golden(response).len(), "{request}");
        assert_eq!(answer.body[..7], golden(response)[..7], "{request}");
    }
}

#[tokio::test]
async fn an_identity_is_shown_as_the_golden_one() {
    let world = World::with(Different {
        clock: golden_time,
        ..Default::default()
    })
    .await;
    let e = "tenant-a";
    world.enclave(e).await;
    let mut root = world.root().await;
    let allow: &[(&str, &[&str])] = &[("IDENTITY:CREATE", &["*"])];
    root.change(e, Command::CreatePolicy, &policy_request("p", allow, &[]))
        .await;

    // The golden identity was made by the one that is its service account now.
    world
        .register(e, GOLDEN_OTHER, Privilege::Admin.as_str())
        .await;
    let mut other = world.member(GOLDEN_OTHER).await;
    let mut create = CreateIdentityRequest {
        identity: id(GOLDEN).to_string(),
        tags: [("k".to_owned(), "v".to_owned())].into(),
        ..Default::default()
    };
    other.change(e, Command::CreateIdentity, &create).await;
    let assign = AssignPolicyRequest {
        identity: id(GOLDEN).to_string(),
        policy: "p".into(),
    };
    root.change(e, Command::AssignPolicy, &assign).await;
    let delete = DeleteIdentityRequest {
        identity: id(GOLDEN_OTHER).to_string(),
    };
    root.change(e, Command::DeleteIdentity, &delete).await;
    create.identity = id(GOLDEN_OTHER).to_string();
    create.is_service_account = true;
    create.tags.clear();
    let mut user = world.member(GOLDEN).await;
    user.change(e, Command::CreateIdentity, &create).await;

    let answer = user.commands(e, golden_request("IDENTITY:STATUS")).await;
    assert_eq!(answer.body, golden("IDENTITY:STATUS"));
}

/// Seconds since the golden time, for the versions of one key.
static SECONDS: AtomicI64 = AtomicI64::new(0);

fn ticking() -> Timestamp {
    Timestamp::from_second(GOLDEN_SECOND + SECONDS.load(Ordering::SeqCst)).unwrap()
}

#[tokio::test]
async fn versions_are_listed_as_the_golden_ones() {
    let world = World::with(Different {
        root: GOLDEN,
        clock: ticking,
        ..Default::default()
    })
    .await;
    world.enclave("e").await;
    let mut root = world.root().await;
    for version in 1..=5 {
        SECONDS.store(version - 1, Ordering::SeqCst);
        let request = CreateKeyRequest {
            name: "my-key".into(),
            r#type: if version == 4 { "ChaCha20" } else { "AES256" }.into(),
            add_version: version > 1,
        };
        root.change("e", Command::CreateKey, &request).await;
    }
    let delete = DeleteKeyRequest {
        name: "my-key".into(),
        version: 3,
        ..Default::default()
    };
    root.change("e", Command::DeleteKey, &delete).await;

    let vector = vectors("decisions.list_versions");
    let request = unhex(vector["request"]["body"].as_str().unwrap());
    let answer = root.commands("e", request).await;
    assert_eq!(
        answer.body,
        unhex(vector["response"]["body"].as_str().unwrap())
    );

    let missing = ListRequest {
        prefix: "none".into(),
        ..Default::default()
    };
    let answer = root.ask("e", Command::ListKeyVersions, &missing).await;
    answer.is(&keystead_wire_kms::ApiError::KEY_NOT_FOUND);
}

#[tokio::test]
async fn changes_are_answered_by_one_empty_frame() {
    let world = World::new().await;
    world.enclave("e").await;
    let vector = vectors("decisions.write_response");
    let golden = |name: &str| unhex(vector[name].as_str().unwrap());
    let mut root = world.root().await;
    let key = CreateKeyRequest {
        name: "k".into(),
        ..Default::default()
    };
    let answer = root.ask("e", Command::CreateKey, &key).await;
    assert_eq!(answer.body, golden("KEY:CREATE"));
    let import = keystead_wire_kms::message::ImportKeyRequest {
        name: "i".into(),
        key: vec![7; 32],
        r#type: String::new(),
    };
    let answer = root.ask("e", Command::ImportKey, &import).await;
    assert_eq!(answer.body, golden("import"));
    world.register("e", 1, "").await;
    let policy = policy_request("p", &[], &[]);
    root.change("e", Command::CreatePolicy, &policy).await;
    let assign = AssignPolicyRequest {
        identity: id(1).to_string(),
        policy: "p".into(),
    };
    let answer = root.ask("e", Command::AssignPolicy, &assign).await;
    assert_eq!(answer.body, golden("POLICY:ASSIGN"));
}
