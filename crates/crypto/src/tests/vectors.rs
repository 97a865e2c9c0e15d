use jiff::Timestamp;
use serde_json::Value;

use super::{Replay, base64, cipher, for_each, hex, stored_key, text};
use crate::key::HmacKey;
use crate::{Cipher, Error, SecretKey, StoredKey};

#[test]
fn subkeys() {
    for_each("subkeys", |entry| {
        let key = SecretKey::try_from(hex(entry, "key_hex").as_slice()).unwrap();
        let iv = hex(entry, "iv_hex").try_into().unwrap();
        let subkey = key.subkey(cipher(entry), &iv);
        assert_eq!(subkey.to_vec(), hex(entry, "subkey_hex"), "{entry}");
    });
}

#[test]
fn key_ids() {
    for_each("key_ids", |entry| {
        let key = SecretKey::try_from(hex(entry, "key_hex").as_slice()).unwrap();
        assert_eq!(key.id(), text(entry, "id"));
    });
}

#[test]
fn encrypt_with_fixed_randomness() {
    for_each("encrypt_with_fixed_randomness", |entry| {
        let key = stored_key(&base64(entry, "key_b64"), cipher(entry));
        let random = Replay([hex(entry, "iv_hex"), hex(entry, "nonce_hex")].concat());
        let (plaintext, context) = (base64(entry, "plaintext_b64"), base64(entry, "context_b64"));
        let ciphertext = key.seal(&random, &plaintext, &context).unwrap();
        assert_eq!(ciphertext, base64(entry, "ciphertext_b64"), "{entry}");
        assert_eq!(ciphertext.capacity(), plaintext.len() + StoredKey::OVERHEAD);
        assert_eq!(*key.open(&ciphertext, &context).unwrap(), plaintext);
    });
}

#[test]
fn a_data_key_is_drawn_first_and_sealed_like_anything_else() {
    for cipher in [Cipher::Aes256, Cipher::ChaCha20] {
        let key = stored_key(&[1; 32], cipher);
        let drawn: Vec<u8> = (0..60).collect();
        let sealed = key.seal(&Replay(drawn[32..].to_vec()), &drawn[..32], b"context");
        let (data_key, ciphertext) = key.data_key(&Replay(drawn.clone()), b"context").unwrap();
        assert_eq!(data_key[..], drawn[..32]);
        assert_eq!(ciphertext, sealed.unwrap());
    }
}

/// A million cached keys are a million of these.
#[test]
fn a_stored_key_is_small() {
    assert!(size_of::<StoredKey>() <= 112);
}

#[test]
fn decrypt_ok() {
    for_each("decrypt_ok", |entry| {
        let key = stored_key(&base64(entry, "key_b64"), cipher(entry));
        let plaintext = key.open(
            &base64(entry, "ciphertext_b64"),
            &base64(entry, "context_b64"),
        );
        assert_eq!(
            *plaintext.unwrap(),
            base64(entry, "plaintext_b64"),
            "{entry}"
        );
    });
}

#[test]
fn decrypt_fail() {
    for_each("decrypt_fail", |entry| {
        let key = stored_key(&base64(entry, "key_b64"), cipher(entry));
        let plaintext = key.open(
            &base64(entry, "ciphertext_b64"),
            &base64(entry, "context_b64"),
        );
        assert_eq!(plaintext.err(), Some(Error::NotAuthentic), "{entry}");
    });
}

#[test]
fn algorithm_less_stored_key() {
    for_each("algorithm_less_stored_key", |entry| {
        let key = StoredKey::decode(text(entry, "stored_key").as_bytes()).unwrap();
        let (ciphertext, context) = (
            base64(entry, "ciphertext_b64"),
            base64(entry, "context_b64"),
        );
        assert_eq!(ciphertext, text(entry, "ciphertext_text").as_bytes());
        let plaintext = key.open(&ciphertext, &context).unwrap();
        assert_eq!(*plaintext, base64(entry, "plaintext_b64"));
    });
}

#[test]
fn prehistoric_aes_256_gcm() {
    for_each("prehistoric_aes_256_gcm", |entry| {
        let key = stored_key(&base64(entry, "key_b64"), crate::Cipher::Aes256);
        let plaintext = key.open(
            text(entry, "ciphertext_text").as_bytes(),
            &base64(entry, "context_b64"),
        );
        assert_eq!(plaintext.err(), Some(Error::NotAuthentic));
    });
}

#[test]
fn stored_keys() {
    for_each("stored_keys", |entry| {
        let stored = text(entry, "stored");
        let key = check_stored_key(entry);
        if text(entry, "format") == "protobuf-base64" {
            assert_eq!(*key.encode(), stored);
        }
    });
}

#[test]
fn stored_keys_tolerated() {
    for_each("stored_keys_tolerated", |entry| {
        check_stored_key(entry);
    });
}

#[test]
fn stored_keys_invalid() {
    for_each("stored_keys_invalid", |entry| {
        let key = StoredKey::decode(text(entry, "stored").as_bytes());
        assert!(key.is_err(), "{entry}");
    });
}

#[test]
fn hmac() {
    for_each("hmac", |entry| {
        assert_eq!(text(entry, "hash"), "SHA256");
        let key = HmacKey::try_from(base64(entry, "hmac_key_b64").as_slice()).unwrap();
        let sum = key.hmac(&base64(entry, "message_b64"));
        assert_eq!(sum.to_vec(), base64(entry, "sum_b64"), "{entry}");
    });
}

/// Decodes `stored` and compares every part; the key must survive another
/// round through the current format.
fn check_stored_key(entry: &Value) -> StoredKey {
    let created_at: Timestamp = match &entry["created_at"] {
        Value::String(time) => time.parse().unwrap(),
        _ => {
            let nanos = entry["nanos"].as_i64().unwrap().try_into().unwrap();
            Timestamp::new(entry["seconds"].as_i64().unwrap(), nanos).unwrap()
        }
    };
    let hmac = entry["hmac_key_b64"].is_string().then(|| {
        let key = HmacKey::try_from(base64(entry, "hmac_key_b64").as_slice()).unwrap();
        key.hmac(b"message")
    });
    let check = |key: &StoredKey| {
        let secret = SecretKey::try_from(base64(entry, "key_b64").as_slice()).unwrap();
        assert_eq!(key.id(), secret.id(), "{entry}");
        assert_eq!(key.cipher(), cipher(entry), "{entry}");
        assert_eq!(key.hmac(b"message").ok(), hmac, "{entry}");
        assert_eq!(key.created_at(), created_at, "{entry}");
        assert_eq!(key.created_by(), text(entry, "created_by"), "{entry}");
    };
    let key = StoredKey::decode(text(entry, "stored").as_bytes()).unwrap();
    check(&key);
    check(&StoredKey::decode(key.encode().as_bytes()).unwrap());
    key
}
