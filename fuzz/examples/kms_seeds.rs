//! Writes the kept inputs of the targets for what MinIO KMS servers read, store and
//! restore: `cargo run --example kms_seeds`, in the `fuzz` folder. They come from the
//! golden vectors and from one operation of each kind.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use keystead_crypto::{Cipher, SecretKey};
use keystead_identity::KmsIdentity;
use keystead_store::{
    Batch, Caller, Created, NewIdentity, Operation, OperationId, State, Versions, apply_batch,
    rules_from_message,
};
use keystead_wire_kms::{Command, Privilege, split_frames};
use serde_json::Value;

fn main() -> io::Result<()> {
    let vectors: Value = serde_json::from_str(include_str!("../../tests/vectors/minkms.json"))?;
    for section in ["requests", "responses", "bad_frames"] {
        write("kms_frames", section, bodies(&vectors[section]))?;
    }
    let requests = bodies(&vectors["requests"]);
    write("kms_request", "requests", messages(&requests))?;
    let rule_sets = vectors["rulesets_json"].as_array();
    let files = rule_sets.into_iter().flatten().map(policy_file);
    write("kms_policy", "rulesets_json", files.collect())?;
    let policy = &vectors["decisions"]["policy"]["policy"];
    let policy = vec![policy.to_string().into_bytes()];
    write("kms_policy", "policy", policy)?;

    let backup = &vectors["decisions"]["backup"];
    let file = hex(&backup["file"]);
    let compressed = gzip(&file)?;
    write("kms_backup", "backup", vec![file, compressed])?;
    write("kms_restore", "backup", vec![hex(&backup["plaintext"])])?;

    let batch = batch();
    let singles = batch.operations.iter().map(|(id, operation)| Batch {
        operations: vec![(*id, operation.clone())],
    });
    let entries = singles.chain([batch.clone()]);
    let entries = entries.map(|batch| batch.encode().to_vec());
    write("kms_operation", "made", entries.collect())?;
    let state = apply_batch(&State::default(), &batch).state;
    write("kms_state", "made", vec![records(&state)])
}

/// Writes inputs of a target under the name of where they come from.
fn write(target: &str, name: &str, inputs: Vec<Vec<u8>>) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    fs::create_dir_all(&folder)?;
    for (index, input) in inputs.iter().enumerate() {
        fs::write(folder.join(format!("vector-{name}-{index}")), input)?;
    }
    Ok(())
}

fn bodies(section: &Value) -> Vec<Vec<u8>> {
    let entries = section.as_array().into_iter().flatten();
    entries.map(|entry| hex(&entry["body"])).collect()
}

fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap_or_default();
    HEXLOWER.decode(text.as_bytes()).unwrap_or_default()
}

/// The first message of each body, after the place of its command in the list of all.
fn messages(bodies: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let message = |body: &Vec<u8>| {
        let frame = split_frames(body).ok()?.first().copied()?;
        let command = Command::from_code(frame.code)?;
        let place = Command::ALL.into_iter().position(|it| it == command)?;
        Some([&[u8::try_from(place).ok()?], frame.payload].concat())
    };
    bodies.iter().filter_map(message).collect()
}

fn policy_file(entry: &Value) -> Vec<u8> {
    let rule_set = entry["json"].as_str().unwrap_or("null");
    format!(r#"{{"allow":{{"KEY:GENERATE":{rule_set}}},"deny":null}}"#).into_bytes()
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// One operation of each kind.
fn batch() -> Batch {
    let enclave = || "tenant-a".to_owned();
    let name = || "my-key".to_owned();
    let user = KmsIdentity::from_bytes([1; 32]);
    let root = Caller {
        identity: KmsIdentity::from_bytes([2; 32]),
        is_root: true,
    };
    let created = Created {
        at: Timestamp::UNIX_EPOCH,
        by: root.identity,
    };
    let set = ["my-*"].into_iter().collect();
    let allow = BTreeMap::from([("KEY:GENERATE".to_owned(), set)]);
    let rules = rules_from_message(&allow, &BTreeMap::new()).unwrap_or_default();
    let operations = [
        Operation::SetRoot {
            identity: root.identity,
        },
        Operation::CreateEnclave {
            name: enclave(),
            created,
        },
        Operation::CreateKey {
            enclave: enclave(),
            name: name(),
            cipher: None,
            key: SecretKey::from_bytes([3; 32]),
            add_version: false,
            created,
        },
        Operation::CreateKey {
            enclave: enclave(),
            name: name(),
            cipher: Some(Cipher::ChaCha20),
            key: SecretKey::from_bytes([4; 32]),
            add_version: true,
            created,
        },
        Operation::ImportKey {
            enclave: enclave(),
            name: "imported".to_owned(),
            cipher: Some(Cipher::Aes256),
            key: SecretKey::from_bytes([5; 32]),
            created,
        },
        Operation::DeleteKey {
            enclave: enclave(),
            name: name(),
            versions: Versions::One(1),
        },
        Operation::CreatePolicy {
            enclave: enclave(),
            name: "policy".to_owned(),
            rules: Arc::new(rules),
            created,
        },
        Operation::CreateIdentity {
            enclave: enclave(),
            identity: NewIdentity {
                identity: user,
                privilege: Privilege::User,
                is_service_account: false,
                tags: [("team".to_owned(), "a".to_owned())].into(),
            },
            at: created.at,
            by: root,
        },
        Operation::AssignPolicy {
            enclave: enclave(),
            identity: user,
            policy: Some("policy".to_owned()),
            by: root,
        },
        Operation::CreateIdentity {
            enclave: enclave(),
            identity: NewIdentity {
                identity: KmsIdentity::from_bytes([6; 32]),
                privilege: Privilege::User,
                is_service_account: true,
                tags: BTreeMap::new(),
            },
            at: created.at,
            by: Caller {
                identity: user,
                is_root: false,
            },
        },
        Operation::DeleteIdentity {
            enclave: enclave(),
            identity: user,
            by: root,
        },
        Operation::DeletePolicy {
            enclave: enclave(),
            name: "policy".to_owned(),
        },
        Operation::DeleteEnclave {
            name: "missing".to_owned(),
        },
    ];
    let ids = (0..=u8::MAX).map(|byte| OperationId([byte; 16]));
    let mut operations: Vec<_> = ids.zip(operations).collect();
    let most = Batch {
        operations: operations.iter().take(10).cloned().collect(),
    };
    let state = apply_batch(&State::default(), &most).state;
    let restore = Operation::Restore(Box::new(state));
    operations.push((OperationId([99; 16]), restore));
    Batch { operations }
}

/// In the form of the target.
fn records(state: &State) -> Vec<u8> {
    let mut input = Vec::new();
    for record in state.records() {
        let lengths = (record.key.len().try_into(), record.value.len().try_into());
        let (Ok(key), Ok(value)) = lengths else {
            continue;
        };
        input.extend_from_slice(&[record.table.code(), key, value]);
        input.extend_from_slice(&record.key);
        input.extend_from_slice(&record.value);
    }
    input
}
