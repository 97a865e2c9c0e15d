//! The golden vectors of MinIO KMS that concern keys and ciphertexts.

use std::io::Read;

use serde_json::Value;

use super::{Replay, hex, kms_section, list, ring, text};
use crate::{
    ChannelReader, ChannelWriter, Cipher, Error, KeyRing, Mode, SecretKey, hkdf_sha256, sha256,
};

fn key(entry: &Value, field: &str) -> [u8; 32] {
    hex(entry, field).try_into().unwrap()
}

#[test]
fn data_ciphertexts() {
    for case in list(&kms_section(&["data_ciphertexts"]), "cases") {
        let cipher = text(case, "type").parse().unwrap();
        let master = key(case, "master_key");
        let iv = hex(case, "iv").try_into().unwrap();
        let subkey = SecretKey::from_bytes(master).subkey(cipher, &iv);
        assert_eq!(subkey.to_vec(), hex(case, "sealing_key"), "{case}");

        let ring = ring(cipher, false, &[(1, master)], 1);
        let random = Replay([hex(case, "iv"), hex(case, "nonce")].concat());
        let (plaintext, context) = (
            hex(case, "plaintext"),
            text(case, "associated_data_text").as_bytes(),
        );
        let (version, ciphertext) = ring.encrypt(&random, 0, &plaintext, context).unwrap();
        assert_eq!((version, &ciphertext), (1, &hex(case, "ciphertext")));
        assert_eq!(
            *ring.decrypt(0, &ciphertext, context).unwrap(),
            plaintext,
            "{case}"
        );
    }
}

#[test]
fn legacy_json_ciphertext() {
    let case = kms_section(&["legacy_json_ciphertext"]);
    let master = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let ring = ring(Cipher::Aes256, false, &[(1, master)], 1);
    let context = br#"{"bucket":"bucket/object"}"#;
    let open = |ciphertext: &[u8]| ring.decrypt(0, ciphertext, context).unwrap().to_vec();
    let json = text(&case, "json").as_bytes();
    assert_eq!(open(json), open(&hex(&case, "binary")));
    // Anything around the object, and it is no old ciphertext.
    for almost in [[json, b"\n"].concat(), [b" ", json].concat()] {
        let refused = ring.decrypt(0, &almost, context);
        assert_eq!(refused.err(), Some(Error::NotAuthentic));
    }
}

#[test]
fn decisions_decrypt() {
    let section = kms_section(&["decisions", "decrypt"]);
    let context = text(&section, "associated_data_text").as_bytes();
    for case in list(&section, "cases") {
        let imported = case["imported"].as_bool().unwrap();
        check_decrypt(&versions(&section["versions"]), imported, context, case);
    }
    let removed = &section["after_removing_version_1"];
    let whole = versions(&section["versions"]);
    let rest = whole.without(1).unwrap().unwrap();
    let numbers = |ring: &KeyRing| -> Vec<_> { ring.versions().map(|it| it.version).collect() };
    assert_eq!(numbers(&rest), numbers(&versions(&removed["versions"])));
    for case in list(removed, "cases") {
        check_decrypt(&rest, false, context, case);
    }
}

fn versions(entry: &Value) -> KeyRing {
    let versions: Vec<_> = entry
        .as_object()
        .unwrap()
        .keys()
        .map(|version| (version.parse().unwrap(), key(entry, version)))
        .collect();
    ring(Cipher::Aes256, false, &versions, 2)
}

/// Calls with every version that the case names, and once more as FIPS wants it.
fn check_decrypt(ring: &KeyRing, imported: bool, context: &[u8], case: &Value) {
    let marked = ring.versions().cloned().map(|mut version| {
        version.imported = imported;
        version
    });
    let ring = KeyRing::restore(marked, ring.highest()).unwrap();
    let ciphertext = hex(case, "ciphertext");
    let results = case["result_by_request_version"].as_object().unwrap();
    assert_eq!(results.len(), 4);
    for (version, expected) in results {
        let expected = expected.as_str().unwrap();
        let version = version.parse().unwrap();
        let result = |mode| match ring.decrypt_in(mode, version, &ciphertext, context) {
            Ok(plaintext) => crate::hex(&plaintext),
            Err(Error::NotAuthentic) => "400 invalid ciphertext".to_owned(),
            Err(Error::NoKeyVersion) => "404 key does not exist".to_owned(),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(result(Mode::Standard), expected, "{version}: {case}");
        let chacha = text(case, "name").contains("ChaCha20");
        let expected = match version {
            0..=2 if chacha => "400 invalid ciphertext",
            _ => expected,
        };
        assert_eq!(result(Mode::Fips), expected, "FIPS, {version}: {case}");
    }
}

#[test]
fn decisions_mac() {
    let section = kms_section(&["decisions", "mac"]);
    for case in list(&section, "cases") {
        let master = key(case, "master_key");
        let mut mac_key = [0; 32];
        let label = text(&section, "label").as_bytes();
        hkdf_sha256(&master, &[], label, &mut mac_key).unwrap();
        assert_eq!(mac_key, key(case, "mac_key"));

        let ring = ring(Cipher::ChaCha20, false, &[(3, master)], 3);
        let (version, mac) = ring.mac(0, &hex(case, "message")).unwrap();
        assert_eq!((version, mac), (3, key(case, "mac")), "{case}");
    }
}

#[test]
fn decisions_backup_stream() {
    let section = kms_section(&["decisions", "backup"]);
    let header = text(&section, "header");
    let file = hex(&section, "file");
    let start = 12 + header.len();
    let context = sha256(&file[..start]);
    assert_eq!(context, key(&section, "stream_associated_data"));

    let parsed: Value = serde_json::from_str(header).unwrap();
    let mut stream_key = [0; 32];
    let label = text(&section, "stream_label").as_bytes();
    let backup_key = key(&section, "backup_key");
    let salt = super::base64(&parsed, "salt");
    hkdf_sha256(&backup_key, &salt, label, &mut stream_key).unwrap();
    assert_eq!(stream_key, key(&section, "stream_key"));

    let nonce: [u8; 8] = super::base64(&parsed, "nonce").try_into().unwrap();
    let key = SecretKey::from_bytes(stream_key);
    let plaintext = hex(&section, "plaintext");
    let mut reader =
        ChannelReader::new(&file[start..], Cipher::Aes256, key.clone(), nonce, &context).unwrap();
    let mut read = Vec::new();
    reader.read_to_end(&mut read).unwrap();
    assert_eq!(read, plaintext);

    let mut writer = ChannelWriter::new(Vec::new(), Cipher::Aes256, key, nonce, &context).unwrap();
    std::io::Write::write_all(&mut writer, &plaintext).unwrap();
    assert_eq!(writer.finish().unwrap(), file[start..]);
}
