//! What must not be found anywhere: keys, plaintexts, ciphertexts, messages, tags.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use keystead_wire_kms::Command;
use keystead_wire_kms::message::{
    CreateIdentityRequest, DecryptRequest, EncryptRequest, EncryptResponse, GenerateKeyRequest,
    GenerateKeyResponse, ImportKeyRequest, MacRequest, MacResponse,
};

use crate::support::{World, frame, id};

/// The forms in which a secret could turn up.
fn forms(secret: &[u8]) -> Vec<String> {
    let mut forms = vec![
        HEXLOWER.encode(secret),
        BASE64.encode(secret),
        BASE64_NOPAD.encode(secret),
        BASE64URL_NOPAD.encode(secret),
        format!("{secret:?}"),
    ];
    forms.extend(String::from_utf8(secret.to_vec()).ok());
    forms
}

#[tokio::test]
async fn no_log_holds_a_secret() {
    let world = World::new().await;
    world.enclave("e").await;
    let mut root = world.root().await;
    let key = b"0123456789-key-material-abcdefgh".to_vec();
    let plaintext = b"the plaintext of somebody".to_vec();
    let context = b"{\"bucket\":\"private-object\"}".to_vec();
    let message = b"a message to authenticate".to_vec();
    let import = ImportKeyRequest {
        name: "k".into(),
        key: key.clone(),
        r#type: String::new(),
    };
    root.change("e", Command::ImportKey, &import).await;
    let again = root.ask("e", Command::ImportKey, &import).await;
    assert_eq!(again.status, 409);
    let encrypt = EncryptRequest {
        name: "k".into(),
        plaintext: plaintext.clone(),
        associated_data: context.clone(),
        version: 0,
    };
    let answer = root.ask("e", Command::Encrypt, &encrypt).await;
    let sealed: EncryptResponse = answer.message(Command::Encrypt);
    let generate = GenerateKeyRequest {
        name: "k".into(),
        associated_data: context.clone(),
        ..Default::default()
    };
    let answer = root.ask("e", Command::GenerateKey, &generate).await;
    let data_key: GenerateKeyResponse = answer.message(Command::GenerateKey);
    let mac = MacRequest {
        name: "k".into(),
        message: message.clone(),
        version: 0,
    };
    let answer = root.ask("e", Command::Mac, &mac).await;
    let mac: MacResponse = answer.message(Command::Mac);
    for (ciphertext, associated_data) in [
        (sealed.ciphertext.clone(), context.clone()),
        (
            sealed.ciphertext.clone(),
            b"{\"bucket\":\"another-object\"}".to_vec(),
        ),
        (data_key.ciphertext.clone(), context.clone()),
    ] {
        let decrypt = DecryptRequest {
            name: "k".into(),
            ciphertext,
            associated_data,
            ..Default::default()
        };
        root.ask("e", Command::Decrypt, &decrypt).await;
    }
    let tagged = CreateIdentityRequest {
        identity: id(1).to_string(),
        tags: [("private-tag".to_owned(), "private-value".to_owned())].into(),
        ..Default::default()
    };
    root.change("e", Command::CreateIdentity, &tagged).await;
    // Broken in the middle of what is secret.
    let mut broken = frame(Command::Encrypt, &encrypt);
    broken.truncate(broken.len() - 10);
    assert_eq!(root.commands("e", broken).await.status, 400);
    let mut invalid = import.clone();
    invalid.key.push(b'!');
    assert_eq!(
        root.ask("e", Command::ImportKey, &invalid).await.status,
        400
    );
    let metrics = root.get("/v1/health/metrics").await.text().to_owned();

    let logs = [world.errors().await, world.audit().await, metrics].concat();
    assert!(
        logs.contains("KEY:ENCRYPT") && logs.contains("invalid"),
        "{logs}"
    );
    for secret in [
        &key,
        &plaintext,
        &context,
        &message,
        &sealed.ciphertext,
        &data_key.plaintext,
        &data_key.ciphertext,
        &mac.mac,
        &b"private-tag".to_vec(),
        &b"private-value".to_vec(),
        &b"another-object".to_vec(),
        &b"private-object".to_vec(),
    ] {
        for form in forms(secret) {
            assert!(!logs.contains(&form), "{form}\n{logs}");
        }
    }
    let scanned = [world.folder.path().join("data")];
    for folder in scanned {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let Ok(bytes) = std::fs::read(&path) else {
                continue;
            };
            for secret in [&key[..], b"private-tag", b"tenant"] {
                let found = bytes.windows(secret.len()).any(|window| window == secret);
                assert!(!found, "{}", path.display());
            }
        }
    }
}
