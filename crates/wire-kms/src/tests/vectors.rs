//! The golden vectors of the protocol.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use http::StatusCode;
use prost::Message;
use serde_json::Value;

use crate::message::{
    AddClusterNodeRequest, AddHsmRequest, AssignPolicyRequest, ClusterStatusRequest,
    ClusterStatusResponse, CreateEnclaveRequest, CreateIdentityRequest, CreateKeyRequest,
    CreatePolicyRequest, DecryptRequest, DecryptResponse, DeleteEnclaveRequest,
    DeleteIdentityRequest, DeleteKeyRequest, DeletePolicyRequest, EditClusterRequest,
    EnclaveStatusRequest, EnclaveStatusResponse, EncryptRequest, EncryptResponse,
    GenerateKeyRequest, GenerateKeyResponse, IdentityRequest, IdentityResponse, ImportKeyRequest,
    KeyStatusRequest, KeyStatusResponse, ListKeysResponse, ListRequest, LogRecord, LogRequest,
    MacRequest, MacResponse, PolicyRequest, PolicyResponse, RemoveClusterNodeRequest,
    RemoveHsmRequest, RuleSet, ServerStatusResponse, log_record::StackFrame,
};
use crate::{
    ApiError, Command, Error, FrameWriter, LogDecoder, Name, Request, decode_answers,
    encode_log_record, is_unset, split_frames, to_timestamp,
};

const ID_A: &str = "h1:oFCDfYUHBYLM9zlLCYiEfMMSy4glm4lImfbyOc8XkaU";
const ID_B: &str = "h1:RHqgwkv7qc0AbYBPXf2t9-2AqDBCsn_txXHvrXUai90";

fn section(name: &str) -> Value {
    let file = include_str!("../../../../tests/vectors/minkms.json");
    let mut vectors: Value = serde_json::from_str(file).unwrap();
    vectors[name].take()
}

fn list(name: &str) -> Vec<Value> {
    let Value::Array(vectors) = section(name) else {
        panic!("{name} is no array");
    };
    assert!(!vectors.is_empty());
    println!("{name}: {} vectors", vectors.len());
    vectors
}

fn hex(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

fn frame(command: Command, message: &impl Message) -> Vec<u8> {
    let mut writer = FrameWriter::new();
    writer.write(command, message);
    writer.into_body().to_vec()
}

fn rules(command: &str, pattern: &str) -> BTreeMap<String, RuleSet> {
    [(command.to_owned(), RuleSet::from_iter([pattern]))].into()
}

/// Every request of the vectors, from typed messages.
fn requests() -> Vec<(&'static str, Vec<u8>)> {
    let name = |text: &str| text.to_owned();
    let status = |text: &str| {
        let request = EnclaveStatusRequest { name: name(text) };
        frame(Command::EnclaveStatus, &request)
    };
    vec![
        (
            "CLUSTER:STATUS",
            frame(Command::ClusterStatus, &ClusterStatusRequest {}),
        ),
        (
            "CLUSTER:ADDNODE",
            frame(
                Command::AddNode,
                &AddClusterNodeRequest {
                    host: name("h:7373"),
                },
            ),
        ),
        (
            "CLUSTER:REMOVENODE",
            frame(
                Command::RemoveNode,
                &RemoveClusterNodeRequest {
                    host: name("h:7373"),
                    delete_cluster_on_host: true,
                },
            ),
        ),
        (
            "CLUSTER:EDIT",
            frame(
                Command::EditCluster,
                &EditClusterRequest {
                    host: name("h:7373"),
                    remove_ids: vec![1, 300],
                },
            ),
        ),
        (
            "CLUSTER:ADDHSM",
            frame(
                Command::AddHsm,
                &AddHsmRequest {
                    name: name("hsm1"),
                    overwrite: true,
                },
            ),
        ),
        (
            "CLUSTER:REMOVEHSM",
            frame(
                Command::RemoveHsm,
                &RemoveHsmRequest {
                    name: name("hsm1"),
                    force: false,
                },
            ),
        ),
        (
            "ENCLAVE:CREATE",
            frame(
                Command::CreateEnclave,
                &CreateEnclaveRequest {
                    name: name("tenant-a"),
                },
            ),
        ),
        (
            "ENCLAVE:DELETE",
            frame(
                Command::DeleteEnclave,
                &DeleteEnclaveRequest {
                    name: name("tenant-a"),
                },
            ),
        ),
        (
            "ENCLAVE:STATUS x2 (batch)",
            [status("a"), status("b")].concat(),
        ),
        (
            "ENCLAVE:LIST, all defaults",
            frame(Command::ListEnclaves, &ListRequest::default()),
        ),
        (
            "KEY:CREATE, server picks type",
            frame(
                Command::CreateKey,
                &CreateKeyRequest {
                    name: name("my-key"),
                    ..Default::default()
                },
            ),
        ),
        (
            "KEY:CREATE, new ChaCha20 version",
            frame(
                Command::CreateKey,
                &CreateKeyRequest {
                    name: name("my-key"),
                    r#type: name("ChaCha20"),
                    add_version: true,
                },
            ),
        ),
        (
            "KEY:DELETE all versions",
            frame(
                Command::DeleteKey,
                &DeleteKeyRequest {
                    name: name("my-key"),
                    version: 0,
                    all_versions: true,
                },
            ),
        ),
        (
            "KEY import (203)",
            frame(
                Command::ImportKey,
                &ImportKeyRequest {
                    name: name("my-key"),
                    r#type: name("AES256"),
                    key: vec![7; 32],
                },
            ),
        ),
        (
            "KEY:STATUS version 2",
            frame(
                Command::KeyStatus,
                &KeyStatusRequest {
                    name: name("my-key"),
                    version: 2,
                },
            ),
        ),
        (
            "KEY:ENCRYPT",
            frame(
                Command::Encrypt,
                &EncryptRequest {
                    name: name("k"),
                    version: 3,
                    plaintext: b"x".into(),
                    associated_data: b"y".into(),
                },
            ),
        ),
        (
            "KEY:DECRYPT as sent by MinIO (no version)",
            frame(
                Command::Decrypt,
                &DecryptRequest {
                    name: name("my-key"),
                    version: 0,
                    ciphertext: b"ct".into(),
                    associated_data: b"{}".into(),
                },
            ),
        ),
        (
            "KEY:GENERATE as sent by MinIO",
            frame(
                Command::GenerateKey,
                &GenerateKeyRequest {
                    name: name("my-key"),
                    version: 0,
                    associated_data: b"{}".into(),
                    length: 32,
                },
            ),
        ),
        (
            "KEY:LIST",
            frame(
                Command::ListKeys,
                &ListRequest {
                    prefix: name("a"),
                    continue_at: name("a1"),
                    limit: 10,
                },
            ),
        ),
        (
            "KEY:MAC",
            frame(
                Command::Mac,
                &MacRequest {
                    name: name("my-key"),
                    version: 0,
                    message: b"hello".into(),
                },
            ),
        ),
        (
            "POLICY:CREATE",
            frame(
                Command::CreatePolicy,
                &CreatePolicyRequest {
                    name: name("p"),
                    allow: rules("KEY:CREATE", "my-key*"),
                    deny: rules("KEY:DELETE", "*"),
                },
            ),
        ),
        (
            "POLICY:DELETE",
            frame(
                Command::DeletePolicy,
                &DeletePolicyRequest { name: name("p") },
            ),
        ),
        (
            "POLICY:ASSIGN",
            frame(
                Command::AssignPolicy,
                &AssignPolicyRequest {
                    identity: name(ID_A),
                    policy: name("p"),
                },
            ),
        ),
        (
            "POLICY:GET",
            frame(Command::GetPolicy, &PolicyRequest { name: name("p") }),
        ),
        (
            "POLICY:STATUS",
            frame(Command::PolicyStatus, &PolicyRequest { name: name("p") }),
        ),
        (
            "IDENTITY:CREATE",
            frame(
                Command::CreateIdentity,
                &CreateIdentityRequest {
                    identity: name(ID_A),
                    privilege: name("Admin"),
                    is_service_account: true,
                    tags: [(name("k"), name("v"))].into(),
                },
            ),
        ),
        (
            "IDENTITY:STATUS (code 403)",
            frame(
                Command::IdentityStatus,
                &IdentityRequest {
                    identity: name(ID_A),
                },
            ),
        ),
        (
            "IDENTITY:DELETE",
            frame(
                Command::DeleteIdentity,
                &DeleteIdentityRequest {
                    identity: name(ID_A),
                },
            ),
        ),
        (
            "IDENTITY:LIST",
            frame(
                Command::ListIdentities,
                &ListRequest {
                    prefix: name("h1:"),
                    ..Default::default()
                },
            ),
        ),
    ]
}

#[test]
fn requests_are_written_byte_for_byte() {
    let ours: BTreeMap<_, _> = requests().into_iter().collect();
    let vectors = list("requests");
    assert_eq!(ours.len(), vectors.len());
    for vector in vectors {
        let name = vector["name"].as_str().unwrap();
        assert_eq!(
            HEXLOWER.encode(&ours[name]),
            vector["body"].as_str().unwrap(),
            "{name}"
        );
    }
}

#[test]
fn requests_are_read() {
    for vector in list("requests") {
        let name = vector["name"].as_str().unwrap();
        let body = hex(&vector["body"]);
        let in_enclave = vector["path"] != "/v1/kms";
        for frame in split_frames(&body).unwrap() {
            let request = Request::decode(frame).unwrap();
            let command = request.command();
            assert_eq!(command.is_cluster_wide(), !in_enclave, "{name}");
            if command != Command::ImportKey {
                assert!(name.starts_with(command.name()), "{name}: {command}");
            }
            let fields = &vector["fields"];
            let argument = match command {
                Command::AssignPolicy => &fields["Policy"],
                _ if !fields["Name"].is_null() => &fields["Name"],
                _ if !fields["Host"].is_null() => &fields["Host"],
                _ if !fields["Identity"].is_null() => &fields["Identity"],
                _ => &fields["Prefix"],
            };
            if let Some(argument) = argument.as_str() {
                assert_eq!(request.argument(), argument, "{name}");
            }
        }
    }
}

/// The only answer of a body.
fn answer<M: Message + Default>(command: Command, body: &[u8]) -> M {
    let mut answers = decode_answers(command, body).unwrap();
    assert_eq!(answers.len(), 1);
    answers.remove(0)
}

#[test]
fn responses_are_read_and_written() {
    let time = Some(to_timestamp("2023-11-14T22:13:20Z".parse().unwrap()));
    let key = |name: &str, version| KeyStatusResponse {
        name: name.into(),
        version,
        r#type: "AES256".into(),
        created_at: time,
        created_by: ID_A.into(),
    };
    let mut seen = 0;
    for vector in list("responses") {
        let body = hex(&vector["body"]);
        let rewritten = match vector["name"].as_str().unwrap() {
            "ENCLAVE:STATUS" => {
                let enclave: EnclaveStatusResponse = answer(Command::EnclaveStatus, &body);
                assert_eq!(enclave.name, "a");
                assert_eq!(enclave.created_at, time);
                assert_eq!(enclave.created_by, ID_A);
                frame(Command::EnclaveStatus, &enclave)
            }
            "KEY:STATUS" => {
                let status: KeyStatusResponse = answer(Command::KeyStatus, &body);
                assert_eq!(status, key("my-key", 2));
                frame(Command::KeyStatus, &status)
            }
            "KEY:ENCRYPT x2 (batch)" => {
                let answers: Vec<EncryptResponse> =
                    decode_answers(Command::Encrypt, &body).unwrap();
                let [first, second] = answers.as_slice() else {
                    panic!("{} answers", answers.len());
                };
                assert_eq!((first.version, first.ciphertext.as_slice()), (1, &b"c"[..]));
                assert_eq!(
                    (second.version, second.ciphertext.as_slice()),
                    (2, &b"d"[..])
                );
                [
                    frame(Command::Encrypt, first),
                    frame(Command::Encrypt, second),
                ]
                .concat()
            }
            "KEY:DECRYPT" => {
                let answer: DecryptResponse = answer(Command::Decrypt, &body);
                assert_eq!(answer.plaintext, b"pt");
                frame(Command::Decrypt, &answer)
            }
            "KEY:GENERATE" => {
                let answer: GenerateKeyResponse = answer(Command::GenerateKey, &body);
                assert_eq!(answer.version, 1);
                assert_eq!(answer.plaintext, [1; 32]);
                assert_eq!(answer.ciphertext, [2; 76]);
                frame(Command::GenerateKey, &answer)
            }
            "KEY:LIST page" => {
                let page: ListKeysResponse = answer(Command::ListKeys, &body);
                assert_eq!(page.keys, [key("a", 1)]);
                assert_eq!(page.continue_at, "b");
                frame(Command::ListKeys, &page)
            }
            "KEY:LIST empty" => {
                let page: ListKeysResponse = answer(Command::ListKeys, &body);
                assert_eq!(page, ListKeysResponse::default());
                frame(Command::ListKeys, &page)
            }
            "KEY:MAC" => {
                let answer: MacResponse = answer(Command::Mac, &body);
                assert_eq!((answer.version, answer.mac.as_slice()), (1, &[3; 32][..]));
                frame(Command::Mac, &answer)
            }
            "POLICY:GET" => {
                let policy: PolicyResponse = answer(Command::GetPolicy, &body);
                assert_eq!(policy.allow, rules("KEY:CREATE", "my-key*"));
                assert!(policy.deny.is_empty());
                frame(Command::GetPolicy, &policy)
            }
            "IDENTITY:STATUS" => {
                let identity: IdentityResponse = answer(Command::IdentityStatus, &body);
                assert_eq!(identity.privilege, 3);
                assert_eq!(identity.policy, "p");
                assert_eq!(identity.service_accounts, [ID_B]);
                assert_eq!(identity.tags["k"], "v");
                frame(Command::IdentityStatus, &identity)
            }
            "CLUSTER:STATUS, one node, no leader" => {
                let cluster: ClusterStatusResponse = answer(Command::ClusterStatus, &body);
                let node: &ServerStatusResponse = &cluster.nodes_up[&0];
                assert_eq!(
                    (node.host.as_str(), node.role.as_str()),
                    ("10.0.0.1:7373", "Candidate")
                );
                assert_eq!((node.leader_id, node.nodes.len()), (-1, 2));
                assert_eq!(node.uptime.map(|uptime| uptime.seconds), Some(60));
                assert_eq!(cluster.nodes_down[&1], "10.0.0.2:7373");
                // Map entries of the zero key are written shorter than by the original.
                let ours = frame(Command::ClusterStatus, &cluster);
                let reread: ClusterStatusResponse = answer(Command::ClusterStatus, &ours);
                assert_eq!(reread, cluster);
                body.clone()
            }
            other => panic!("unknown vector {other}"),
        };
        assert_eq!(rewritten, body, "{}", vector["name"]);
        seen += 1;
    }
    assert_eq!(seen, 11);
}

#[test]
fn broken_frames_are_refused() {
    for vector in list("bad_frames") {
        let body = hex(&vector["body"]);
        let answers: Result<Vec<EncryptResponse>, _> = decode_answers(Command::Encrypt, &body);
        assert!(answers.is_err(), "{}", vector["why"]);
        if !vector["why"].as_str().unwrap().contains("response") {
            let error = split_frames(&body).unwrap_err();
            assert!(matches!(error, Error::Frames { .. }), "{}", vector["why"]);
        }
    }
}

#[test]
fn errors_have_their_status_text_and_both_forms() {
    let ours = [
        ApiError::NOT_ALLOWED,
        ApiError::ENCLAVE_EXISTS,
        ApiError::ENCLAVE_NOT_FOUND,
        ApiError::KEY_EXISTS,
        ApiError::KEY_NOT_FOUND,
        ApiError::POLICY_NOT_FOUND,
        ApiError::IDENTITY_NOT_FOUND,
        ApiError::INVALID_CIPHERTEXT,
    ];
    let vectors = list("errors");
    assert_eq!(vectors.len(), ours.len());
    for (vector, ours) in vectors.iter().zip(ours) {
        let status = u16::try_from(vector["status"].as_u64().unwrap()).unwrap();
        assert_eq!(ours.status.as_u16(), status);
        assert_eq!(ours.message, vector["message"].as_str().unwrap());
        assert_eq!(ours.to_json(), vector["json"].as_str().unwrap());
        assert_eq!(ours.to_protobuf(), hex(&vector["binary"]));
        let status = StatusCode::from_u16(status).unwrap();
        let (binary, json) = (ours.to_protobuf(), ours.to_json());
        let read = |content_type, body| ApiError::decode(status, content_type, body);
        assert_eq!(read(Some("application/octet-stream"), &binary), ours);
        assert_eq!(read(Some("application/json"), json.as_bytes()), ours);
        assert_eq!(read(None, ours.message.as_bytes()), ours);
    }
}

#[test]
fn the_log_stream_is_written_and_read() {
    let vector = section("log_stream");
    let body = hex(&vector["body"]);
    let mut ours = Vec::new();
    for record in vector["records"].as_array().unwrap() {
        let time: jiff::Timestamp = record["time"].as_str().unwrap().parse().unwrap();
        let trace = record["trace"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        ours.push(LogRecord {
            level: i32::try_from(record["level"].as_i64().unwrap()).unwrap(),
            time: Some(to_timestamp(time)),
            message: text(&record["message"]),
            trace: trace
                .map(|frame| StackFrame {
                    function: text(&frame[0]),
                    file: text(&frame[1]),
                    line: u32::try_from(frame[2].as_u64().unwrap()).unwrap(),
                })
                .collect(),
        });
    }
    assert_eq!(ours.len(), 2);
    let written: Vec<u8> = ours.iter().cloned().flat_map(encode_log_record).collect();
    assert_eq!(written, body);
    // One byte at a time.
    let mut decoder = LogDecoder::new();
    let mut read = Vec::new();
    for byte in body {
        decoder.push(&[byte]);
        read.extend(decoder.next_record().unwrap());
    }
    assert_eq!(read, ours);
}

#[test]
fn a_log_request_without_since_wants_new_records_only() {
    let request = LogRequest::decode(hex(&section("log_request_without_since")["body"]).as_slice());
    let request = request.unwrap();
    assert!(is_unset(request.since.as_ref()));
    assert_eq!((request.level, request.message.as_str()), (4, "m"));
    assert_eq!(request.trace_level, 8);
}

#[test]
fn rule_sets_have_their_json_forms() {
    for vector in list("rulesets_json") {
        let rules: RuleSet = serde_json::from_str(vector["json"].as_str().unwrap()).unwrap();
        let patterns: Vec<_> = vector["patterns"].as_array().unwrap().iter().collect();
        assert_eq!(rules.patterns(), patterns, "{vector}");
        let canonical = serde_json::to_string(&rules).unwrap();
        assert_eq!(canonical, vector["canonical"].as_str().unwrap());
    }
    for wrong in ["1", "[1]", r#"{"a":1}"#, "true"] {
        assert!(serde_json::from_str::<RuleSet>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn names_of_the_decisions_are_taken_or_refused() {
    let decisions = section("decisions");
    let sections = &decisions["names"];
    let mut checked = 0;
    for (kinds, section) in [
        (
            &[Name::Enclave, Name::Policy][..],
            &sections["enclave_and_policy"],
        ),
        (&[Name::Key], &sections["key"]),
    ] {
        for (verdict, legal) in [("valid", true), ("invalid", false)] {
            for name in section[verdict].as_array().unwrap() {
                let name = name.as_str().unwrap();
                for kind in kinds {
                    assert_eq!(kind.check(name).is_ok(), legal, "{kind:?} '{name}'");
                    checked += 1;
                }
            }
        }
    }
    println!("decisions.names: {checked} checks");
    assert!(checked > 30);
}

#[test]
fn answers_of_the_decisions_are_written_byte_for_byte() {
    let decisions = section("decisions");
    let answers = &decisions["write_response"];
    for (command, vector) in [
        (Command::CreateKey, "KEY:CREATE"),
        (Command::ImportKey, "import"),
        (Command::AssignPolicy, "POLICY:ASSIGN"),
    ] {
        let ours = frame(command, &());
        assert_eq!(HEXLOWER.encode(&ours), answers[vector].as_str().unwrap());
    }
    let listing = &decisions["list_versions"];
    let request = ListRequest {
        prefix: "my-key".into(),
        continue_at: "2".into(),
        limit: 2,
    };
    let ours = frame(Command::ListKeyVersions, &request);
    assert_eq!(ours, hex(&listing["request"]["body"]));
    let body = hex(&listing["response"]["body"]);
    let page: ListKeysResponse = answer(Command::ListKeyVersions, &body);
    let versions: Vec<_> = page.keys.iter().map(|key| key.version).collect();
    assert_eq!((versions, page.continue_at.as_str()), (vec![2, 4], "5"));
    assert_eq!(frame(Command::ListKeyVersions, &page), body);
}
