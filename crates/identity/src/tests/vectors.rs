//! The golden vectors about API keys and identities.

use crate::{ApiKey, Identity};
use keystead_crypto::{Ed25519Key, hex};
use serde_json::Value;

fn section(name: &str) -> Vec<Value> {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/kes.json")).unwrap();
    let entries = vectors[name].as_array().unwrap().clone();
    println!("vectors: {name}: {}", entries.len());
    assert!(!entries.is_empty());
    entries
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry[field].as_str().unwrap()
}

#[test]
fn identities() {
    for entry in section("identities") {
        let api_key = ApiKey::parse(text(&entry, "api_key")).unwrap();
        assert_eq!(*api_key.to_text(), text(&entry, "api_key"));
        assert_eq!(api_key.identity().as_str(), text(&entry, "identity"));
        assert!(api_key.identity().is_fingerprint());

        let key = Ed25519Key::from_pkcs8(&api_key.private_key_pkcs8()).unwrap();
        assert_eq!(hex(key.seed()), text(&entry, "seed_hex"));
        assert_eq!(hex(&key.public_key()), text(&entry, "public_key_hex"));

        let spki = text(&entry, "spki_der_hex");
        let spki = data_encoding::HEXLOWER.decode(spki.as_bytes()).unwrap();
        assert_eq!(Identity::of_spki(&spki), *api_key.identity());
    }
}

#[test]
fn api_keys_invalid() {
    for entry in section("api_keys_invalid") {
        assert!(ApiKey::parse(text(&entry, "api_key")).is_err(), "{entry}");
    }
}

#[test]
fn api_keys_accepted_without_prefix() {
    for entry in section("api_keys_accepted_without_prefix") {
        let api_key = ApiKey::parse(text(&entry, "api_key")).unwrap();
        assert_eq!(api_key.identity().as_str(), text(&entry, "identity"));
        assert_eq!(
            *api_key.to_text(),
            format!("kes:v1:{}", text(&entry, "api_key"))
        );
    }
}
