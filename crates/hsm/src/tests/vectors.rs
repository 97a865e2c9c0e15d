//! The golden vectors about HSM keys and root encryption keys.

use std::sync::Arc;

use keystead_crypto::{Cipher, Mode, SecretKey, hex as to_hex};

use super::{Replay, hex, list, section, soft_with, text};
use crate::{ClusterId, Error, HsmKey, RootKey, SealedEntry, Use};

fn rek() -> RootKey {
    let rek = section(&["decisions", "rek"]);
    let cluster = ClusterId::from_bytes(hex(&rek, "cluster_uuid").try_into().unwrap());
    let key = SecretKey::try_from(hex(&rek, "rek").as_slice()).unwrap();
    RootKey::new(cluster, key).unwrap()
}

#[test]
fn hsm_keys() {
    let section = section(&["hsm_keys"]);
    for entry in list(&section, "valid") {
        let key = HsmKey::parse(text(entry, "text")).unwrap();
        assert_eq!(*key.to_text(), text(entry, "text"));
        let chacha = text(entry, "text").contains("chacha20");
        assert_eq!(key.cipher() == Cipher::ChaCha20, chacha);
        let encoded = keystead_crypto::encode_base64(&hex(entry, "key"));
        assert!(text(entry, "text").ends_with(encoded.as_str()));
    }
    for text in list(&section, "invalid") {
        let refused = HsmKey::parse(text.as_str().unwrap());
        assert!(matches!(refused, Err(Error::Key(_))), "{text}");
    }
}

#[test]
fn decisions_root_key() {
    for case in list(&section(&["decisions", "root_key"]), "cases") {
        let key = HsmKey::parse(text(case, "hsm_key")).unwrap();
        for (mode, api_key, identity) in [
            (Mode::Standard, "api_key", "identity"),
            (Mode::Fips, "fips_api_key", "fips_identity"),
        ] {
            let root = key.root_api_key(mode).unwrap();
            assert_eq!(*root.to_text(), text(case, api_key), "{case}");
            assert_eq!(root.identity().to_string(), text(case, identity));
            assert_eq!(root.is_fips(), mode == Mode::Fips);
        }
    }
}

#[test]
fn decisions_rek() {
    let vector = section(&["decisions", "rek"]);
    let derived = &vector["derived"];
    let key = rek();
    assert_eq!(key.id().to_string(), text(derived, "id"));
    for (usage, name) in [
        (Use::Database, "database"),
        (Use::NodeIdentity, "node-identity"),
        (Use::Backup, "backup"),
    ] {
        assert_eq!(to_hex(key.sub_key(usage).expose()), text(derived, name));
    }
    let node = key.node_api_key().unwrap();
    assert_eq!(*node.to_text(), text(&vector, "node_api_key"));
    assert_eq!(node.identity().to_string(), text(&vector, "node_identity"));
}

#[tokio::test]
async fn decisions_rek_entry() {
    for case in list(&section(&["decisions", "rek_entry"]), "cases") {
        assert_eq!(*rek().encode(), hex(case, "plaintext"));
        let random = Replay([hex(case, "iv"), hex(case, "nonce")].concat());
        let hsm = soft_with(text(case, "hsm_key"), Arc::new(random));
        let entry = rek().seal_with(&*hsm).await.unwrap();
        assert_eq!(entry.sealed, hex(case, "sealed"), "{case}");
        assert_eq!(entry.sealed.len(), 100);
        assert_eq!(entry.hsm, "hsm:minio:soft");
        let opened = RootKey::unseal_with(&*hsm, &entry).await.unwrap();
        assert_eq!(opened.encode(), rek().encode());
        let context = text(case, "associated_data_text").as_bytes();
        let bytes = hsm.unseal(&entry.sealed, context).await.unwrap();
        assert_eq!(*bytes, hex(case, "plaintext"));
    }
}

/// The entry of the golden backup is the entry of the vectors.
#[tokio::test]
async fn decisions_backup_is_opened_by_its_hsm() {
    let backup = section(&["decisions", "backup"]);
    let header: serde_json::Value = serde_json::from_str(text(&backup, "header")).unwrap();
    let entry = &header["rek"][0];
    let sealed = keystead_crypto::decode_base64(text(entry, "sealed").as_bytes()).unwrap();
    let entry = SealedEntry {
        hsm: text(entry, "hsm").to_owned(),
        rek_id: text(&header, "rek_id").parse().unwrap(),
        sealed: sealed.to_vec(),
    };
    let keys = section(&["decisions", "rek_entry"]);
    let hsm = super::soft(text(&keys["cases"][0], "hsm_key"));
    let key = RootKey::unseal_with(&*hsm, &entry).await.unwrap();
    assert_eq!(
        to_hex(key.sub_key(Use::Backup).expose()),
        text(&backup, "backup_key")
    );
    assert_eq!(key.cluster().to_string(), text(&header, "cluster"));
}
