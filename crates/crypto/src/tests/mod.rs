//! Tests across the whole crate: the golden vectors and the properties.

use serde_json::Value;

use crate::{Cipher, Error, KeyRing, KeyVersion, Random, SecretKey, StoredKey, decode_base64};

mod ecdsa;
mod kdf;
mod kms_vectors;
mod properties;
mod ring;
mod stream;
mod vectors;

/// Gives the same bytes again and again.
struct Replay(Vec<u8>);

impl Random for Replay {
    fn fill(&self, out: &mut [u8]) -> Result<(), Error> {
        for (to, from) in out.iter_mut().zip(self.0.iter().cycle()) {
            *to = *from;
        }
        Ok(())
    }
}

/// A key of known bytes; its HMAC key is all 7.
fn stored_key(key: &[u8], cipher: Cipher) -> StoredKey {
    let key = SecretKey::try_from(key).unwrap();
    StoredKey::import(
        key,
        cipher,
        &Replay(vec![7]),
        jiff::Timestamp::UNIX_EPOCH,
        "",
    )
    .unwrap()
}

/// Calls `check` with every entry of a section of the vectors.
fn for_each(section: &str, check: impl Fn(&Value)) {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/kes.json")).unwrap();
    let entries = match &vectors[section] {
        Value::Array(entries) => entries.as_slice(),
        entry => std::slice::from_ref(entry),
    };
    println!("vectors: {section}: {}", entries.len());
    assert!(entries.iter().any(Value::is_object), "{section}");
    entries.iter().for_each(check);
}

/// A section of the vectors of MinIO KMS; each name goes one level down.
fn kms_section(path: &[&str]) -> Value {
    let mut vectors: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/minkms.json")).unwrap();
    for name in path {
        vectors = vectors[*name].take();
    }
    assert!(vectors.is_object() || vectors.is_array(), "{path:?}");
    vectors
}

fn list<'a>(entry: &'a Value, field: &str) -> &'a [Value] {
    let entries = entry[field].as_array().unwrap();
    println!("vectors: {field}: {}", entries.len());
    assert!(!entries.is_empty());
    entries
}

/// A ring of these versions, all with one cipher.
fn ring(cipher: Cipher, imported: bool, versions: &[(u32, [u8; 32])], highest: u32) -> KeyRing {
    let versions = versions.iter().map(|(version, key)| KeyVersion {
        version: *version,
        cipher,
        key: SecretKey::from_bytes(*key),
        imported,
    });
    KeyRing::restore(versions, highest).unwrap()
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {entry}"))
}

fn base64(entry: &Value, field: &str) -> Vec<u8> {
    decode_base64(text(entry, field).as_bytes())
        .unwrap()
        .to_vec()
}

fn hex(entry: &Value, field: &str) -> Vec<u8> {
    data_encoding::HEXLOWER
        .decode(text(entry, field).as_bytes())
        .unwrap()
}

fn cipher(entry: &Value) -> Cipher {
    text(entry, "cipher").parse().unwrap()
}
