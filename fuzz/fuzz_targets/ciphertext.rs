//! Ciphertexts under keys with either cipher and without one. The keys are those
//! of the vectors, so that the kept inputs open.
#![no_main]

use keystead_crypto::{Error, StoredKey, SystemRandom};
use libfuzzer_sys::fuzz_target;

const KEYS: [&str; 3] = [
    r#"{"bytes":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","algorithm":"AES256"}"#,
    r#"{"bytes":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","algorithm":"ChaCha20"}"#,
    r#"{"bytes":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#,
];

fuzz_target!(|ciphertext: &[u8]| {
    for key in KEYS {
        let key = StoredKey::decode(key.as_bytes()).expect("a stored key");
        match key.open(ciphertext, b"") {
            Ok(plaintext) => {
                let again = key
                    .seal(&SystemRandom, &plaintext, b"")
                    .expect("random bytes");
                assert!(key.open(&again, b"") == Ok(plaintext));
            }
            Err(error) => assert_eq!(error, Error::NotAuthentic),
        }
    }
});
