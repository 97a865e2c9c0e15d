//! Ciphertexts under the key ring of the vectors, imported and not, so that the kept
//! inputs open: a version in the first byte, then the ciphertext.
#![no_main]

use keystead_crypto::{Cipher, Error, KeyRing, KeyVersion, Mode, SecretKey, SystemRandom};
use libfuzzer_sys::fuzz_target;

const CONTEXT: &[u8] = br#"{"bucket":"bucket/object"}"#;

fn ring(imported: bool) -> KeyRing {
    let first = std::array::from_fn(|at| u8::try_from(at).expect("32 bytes"));
    let versions = [(1, first), (2, [7; 32])].map(|(version, key)| KeyVersion {
        version,
        cipher: Cipher::Aes256,
        key: SecretKey::from_bytes(key),
        imported,
    });
    KeyRing::restore(versions, 2).expect("two versions")
}

fuzz_target!(|input: &[u8]| {
    let Some((version, ciphertext)) = input.split_first() else {
        return;
    };
    let version = u32::from(*version);
    for imported in [false, true] {
        let ring = ring(imported);
        let opened = ring.decrypt(version, ciphertext, CONTEXT);
        match &opened {
            Ok(plaintext) => {
                let (_, again) = ring
                    .encrypt(&SystemRandom, version, plaintext, CONTEXT)
                    .expect("random bytes");
                let again = ring.decrypt(version, &again, CONTEXT).expect("opens");
                assert!(again == *plaintext);
            }
            Err(Error::NoKeyVersion) => assert!(version > 2),
            Err(error) => assert_eq!(*error, Error::NotAuthentic),
        }
        // A narrower choice of ciphers opens nothing more.
        if let Ok(plaintext) = ring.decrypt_in(Mode::Fips, version, ciphertext, CONTEXT) {
            assert!(opened == Ok(plaintext));
        }
    }
});
