//! Encryption, decryption, data keys, MACs, and the versions of keys (MinIO KMS protocol,
//! section 5).

use keystead_crypto::Mode;
use keystead_wire_kms::message::{
    CreateKeyRequest, DecryptRequest, DecryptResponse, DeleteKeyRequest, EncryptRequest,
    EncryptResponse, GenerateKeyRequest, GenerateKeyResponse, ImportKeyRequest, KeyStatusRequest,
    KeyStatusResponse, MacRequest, MacResponse,
};
use keystead_wire_kms::{ApiError, Command};

use crate::support::{Client, Different, VERSIONS, World, unhex, vectors};

async fn world() -> World {
    let world = World::new().await;
    world.enclave("e").await;
    world.key("e", "k").await;
    world
}

async fn rotate(root: &mut Client, r#type: &str) {
    let request = CreateKeyRequest {
        name: "k".into(),
        r#type: r#type.into(),
        add_version: true,
    };
    root.change("e", Command::CreateKey, &request).await;
}

async fn import(root: &mut Client, name: &str, r#type: &str, key: Vec<u8>) {
    let request = ImportKeyRequest {
        name: name.into(),
        r#type: r#type.into(),
        key,
    };
    root.change("e", Command::ImportKey, &request).await;
}

fn generate(version: u32, length: u32) -> GenerateKeyRequest {
    GenerateKeyRequest {
        name: "k".into(),
        version,
        length,
        associated_data: b"{\"a\":\"b\"}".to_vec(),
    }
}

fn decrypt(version: u32, ciphertext: &[u8], associated_data: &[u8]) -> DecryptRequest {
    DecryptRequest {
        name: "k".into(),
        version,
        ciphertext: ciphertext.to_vec(),
        associated_data: associated_data.to_vec(),
    }
}

#[tokio::test]
async fn a_data_key_is_decrypted_after_any_rotation() {
    let world = world().await;
    for version in VERSIONS {
        let mut root = world.client(0, version).await;
        let answer = root.ask("e", Command::GenerateKey, &generate(0, 0)).await;
        let key: GenerateKeyResponse = answer.message(Command::GenerateKey);
        assert_eq!((key.plaintext.len(), key.ciphertext.len()), (32, 76));
        rotate(&mut root, "").await;
        rotate(&mut root, "ChaCha20").await;
        let context = b"{\"a\":\"b\"}";
        // MinIO sends 0 always, its newer branch 1 for what it has no version of.
        for asked in [0, 1, key.version] {
            let request = decrypt(asked, &key.ciphertext, context);
            let answer = root.ask("e", Command::Decrypt, &request).await;
            let opened: DecryptResponse = answer.message(Command::Decrypt);
            assert_eq!(opened.plaintext, key.plaintext);
        }
        let latest = root
            .ask("e", Command::GenerateKey, &generate(0, 1024))
            .await;
        let latest: GenerateKeyResponse = latest.message(Command::GenerateKey);
        assert_eq!(latest.version, key.version + 2);
        assert_eq!(latest.plaintext.len(), 1024);
        for (asked, data, error) in [
            (latest.version, &context[..], ApiError::INVALID_CIPHERTEXT),
            (0, b"{}", ApiError::INVALID_CIPHERTEXT),
            (99, context, ApiError::KEY_NOT_FOUND),
            (u32::MAX, context, ApiError::KEY_NOT_FOUND),
        ] {
            let request = decrypt(asked, &key.ciphertext, data);
            root.ask("e", Command::Decrypt, &request).await.is(&error);
        }
        let short = decrypt(0, &key.ciphertext[..43], context);
        let answer = root.ask("e", Command::Decrypt, &short).await;
        answer.is(&ApiError::INVALID_CIPHERTEXT);
    }
}

#[tokio::test]
async fn nothing_can_be_encrypted_and_named_by_version() {
    let world = world().await;
    let mut root = world.root().await;
    rotate(&mut root, "").await;
    for version in [0, 1, 2] {
        let request = EncryptRequest {
            name: "k".into(),
            version,
            plaintext: Vec::new(),
            associated_data: Vec::new(),
        };
        let answer = root.ask("e", Command::Encrypt, &request).await;
        let sealed: EncryptResponse = answer.message(Command::Encrypt);
        assert_eq!(sealed.version, if version == 0 { 2 } else { version });
        assert_eq!(sealed.ciphertext.len(), 44);
        let request = decrypt(sealed.version, &sealed.ciphertext, b"");
        let answer = root.ask("e", Command::Decrypt, &request).await;
        let opened: DecryptResponse = answer.message(Command::Decrypt);
        assert!(opened.plaintext.is_empty());
    }
}

#[tokio::test]
async fn golden_ciphertexts_open() {
    let world = world().await;
    let mut root = world.root().await;
    let vectors = vectors("decisions.decrypt");
    let key = unhex(vectors["versions"]["1"].as_str().unwrap());
    let context = vectors["associated_data_text"].as_str().unwrap();
    root.change(
        "e",
        Command::DeleteKey,
        &DeleteKeyRequest {
            name: "k".into(),
            all_versions: true,
            ..Default::default()
        },
    )
    .await;
    import(&mut root, "k", "AES256", key).await;
    let mut seen = 0;
    for case in vectors["cases"].as_array().unwrap() {
        // Version 2 of the vectors cannot be imported.
        let name = case["name"].as_str().unwrap();
        if case["imported"] == false || name.contains("version 2") {
            continue;
        }
        for version in [0, 1] {
            let ciphertext = unhex(case["ciphertext"].as_str().unwrap());
            let request = decrypt(version, &ciphertext, context.as_bytes());
            let answer = root.ask("e", Command::Decrypt, &request).await;
            let expected = case["result_by_request_version"][version.to_string()].as_str();
            match expected.unwrap().split_once(' ') {
                Some((status, message)) => answer.is_error(status.parse().unwrap(), message),
                None => {
                    let opened: DecryptResponse = answer.message(Command::Decrypt);
                    assert_eq!(opened.plaintext, unhex(expected.unwrap()), "{name}");
                }
            }
            seen += 1;
        }
    }
    assert!(seen >= 14, "{seen}");
}

#[tokio::test]
async fn golden_macs() {
    let world = world().await;
    let mut root = world.root().await;
    for (number, case) in vectors("decisions.mac")["cases"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
    {
        let hex = |field: &str| unhex(case[field].as_str().unwrap());
        let name = format!("mac-{number}");
        import(&mut root, &name, "", hex("master_key")).await;
        let request = MacRequest {
            name,
            message: hex("message"),
            version: 0,
        };
        let answer = root.ask("e", Command::Mac, &request).await;
        let made: MacResponse = answer.message(Command::Mac);
        assert_eq!((made.version, made.mac.clone()), (1, hex("mac")));
    }
}

#[tokio::test]
async fn versions_are_added_shown_and_removed() {
    let world = world().await;
    let mut root = world.root().await;
    let create = |name: &str, add_version| CreateKeyRequest {
        name: name.into(),
        add_version,
        ..Default::default()
    };
    let answer = root.ask("e", Command::CreateKey, &create("k", false)).await;
    answer.is(&ApiError::KEY_EXISTS);
    let answer = root
        .ask("e", Command::CreateKey, &create("none", true))
        .await;
    answer.is(&ApiError::KEY_NOT_FOUND);
    let imported = ImportKeyRequest {
        name: "k".into(),
        key: vec![1; 32],
        r#type: String::new(),
    };
    let answer = root.ask("e", Command::ImportKey, &imported).await;
    answer.is(&ApiError::KEY_EXISTS);

    rotate(&mut root, "ChaCha20").await;
    // The type of the latest version, if nothing is said.
    rotate(&mut root, "").await;
    let status = |version| KeyStatusRequest {
        name: "k".into(),
        version,
    };
    for (asked, version, r#type) in [
        (0, 3, "ChaCha20"),
        (1, 1, "AES256"),
        (2, 2, "ChaCha20"),
        (3, 3, "ChaCha20"),
    ] {
        let answer = root.ask("e", Command::KeyStatus, &status(asked)).await;
        let shown: KeyStatusResponse = answer.message(Command::KeyStatus);
        assert_eq!((shown.version, &*shown.r#type), (version, r#type));
    }
    let delete = |version, all_versions| DeleteKeyRequest {
        name: "k".into(),
        version,
        all_versions,
    };
    root.change("e", Command::DeleteKey, &delete(0, false))
        .await;
    let answer = root.ask("e", Command::DeleteKey, &delete(3, false)).await;
    answer.is(&ApiError::KEY_NOT_FOUND);
    // A number is never used again.
    rotate(&mut root, "").await;
    let answer = root.ask("e", Command::KeyStatus, &status(0)).await;
    let shown: KeyStatusResponse = answer.message(Command::KeyStatus);
    assert_eq!(shown.version, 4);
    root.change("e", Command::DeleteKey, &delete(0, true)).await;
    let answer = root.ask("e", Command::KeyStatus, &status(0)).await;
    answer.is(&ApiError::KEY_NOT_FOUND);
    let answer = root.ask("e", Command::DeleteKey, &delete(0, true)).await;
    answer.is(&ApiError::KEY_NOT_FOUND);
}

#[tokio::test]
async fn fips_mode_has_one_cipher() {
    let world = World::with(Different {
        mode: Mode::Fips,
        ..Default::default()
    })
    .await;
    world.enclave("e").await;
    world.key("e", "k").await;
    let mut root = world.root().await;
    let create = CreateKeyRequest {
        name: "c".into(),
        r#type: "ChaCha20".into(),
        ..Default::default()
    };
    let answer = root.ask("e", Command::CreateKey, &create).await;
    answer.is_error(400, "ChaCha20 is not available in FIPS mode");
    let imported = ImportKeyRequest {
        name: "c".into(),
        r#type: "ChaCha20".into(),
        key: vec![1; 32],
    };
    let answer = root.ask("e", Command::ImportKey, &imported).await;
    answer.is_error(400, "ChaCha20 is not available in FIPS mode");
    let answer = root.ask("e", Command::GenerateKey, &generate(0, 0)).await;
    assert_eq!(answer.status, 200);
}
