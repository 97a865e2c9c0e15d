use proptest::array::uniform32;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Replay, stored_key};
use crate::{Cipher, Ed25519Key, Error, SecretKey, StoredKey, SystemRandom, decode_base64, sha256};

fn ciphers() -> impl Strategy<Value = Cipher> {
    prop_oneof![Just(Cipher::Aes256), Just(Cipher::ChaCha20)]
}

/// A value in the current format and one in the JSON format, to be damaged.
fn stored_values() -> impl Strategy<Value = Vec<u8>> {
    let current = stored_key(&[1; 32], Cipher::ChaCha20)
        .encode()
        .as_bytes()
        .to_vec();
    let json = r#"{"version":"v1","bytes":"dDHbTWgo+Yh3u804SYB5OyVMy6RiLeJYBQth1f6KlEU=","algorithm":"ChaCha20","created_at":"2023-11-10T10:44:28.5Z","created_by":"me"}"#;
    prop_oneof![Just(current), Just(json.as_bytes().to_vec())]
}

proptest! {
    #[test]
    fn opens_what_it_sealed(
        key in uniform32(any::<u8>()),
        cipher in ciphers(),
        plaintext in vec(any::<u8>(), 0..2000),
        context in vec(any::<u8>(), 0..200),
    ) {
        let key = stored_key(&key, cipher);
        let ciphertext = key.seal(&SystemRandom, &plaintext, &context).unwrap();
        prop_assert_eq!(ciphertext.len(), plaintext.len() + StoredKey::OVERHEAD);
        prop_assert_eq!(&*key.open(&ciphertext, &context).unwrap(), &plaintext);
    }

    #[test]
    fn opens_under_the_same_context_only(cipher in ciphers(), a in vec(any::<u8>(), 0..20), b in vec(any::<u8>(), 0..20)) {
        let key = stored_key(&[1; 32], cipher);
        let ciphertext = key.seal(&SystemRandom, b"plaintext", &a).unwrap();
        prop_assert_eq!(key.open(&ciphertext, &b).is_ok(), a == b);
    }

    #[test]
    fn opens_any_bytes_without_panic(first in prop_oneof![Just(0x95), Just(b'{'), any::<u8>()], rest in vec(any::<u8>(), 0..200)) {
        let ciphertext = [vec![first], rest].concat();
        let opened = stored_key(&[1; 32], Cipher::Aes256).open(&ciphertext, b"");
        prop_assert_eq!(opened.err(), Some(Error::NotAuthentic));
    }

    #[test]
    fn decodes_what_it_encoded(
        key in uniform32(any::<u8>()),
        cipher in ciphers(),
        second in -62_135_596_800_i64..253_402_207_200,
        nanosecond in 0..1_000_000_000,
        created_by in ".*",
    ) {
        let created_at = jiff::Timestamp::new(second, nanosecond).unwrap();
        let key = SecretKey::from_bytes(key);
        let key = StoredKey::import(key, cipher, &SystemRandom, created_at, &created_by).unwrap();
        let again = StoredKey::decode(key.encode().as_bytes()).unwrap();
        prop_assert_eq!(again.id(), key.id());
        prop_assert_eq!(again.cipher(), cipher);
        prop_assert_eq!(again.created_at(), created_at);
        prop_assert_eq!(again.created_by(), created_by);
        prop_assert_eq!(again.hmac(b"message"), key.hmac(b"message"));
        prop_assert_eq!(again.encode(), key.encode());
    }

    #[test]
    fn refuses_any_bytes_without_panic(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(StoredKey::decode(&bytes).is_err());
        prop_assert!(StoredKey::decode(crate::encode_base64(&bytes).as_bytes()).is_err());
    }

    #[test]
    fn decodes_damaged_values_without_panic(mut value in stored_values(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let at = at.index(value.len());
        value[at] = byte;
        if let Ok(key) = StoredKey::decode(&value) {
            prop_assert!(StoredKey::decode(key.encode().as_bytes()).is_ok());
        }
    }

    #[test]
    fn ed25519_keys_survive_pkcs8(seed in uniform32(any::<u8>())) {
        let key = Ed25519Key::from_seed(&seed).unwrap();
        let again = Ed25519Key::from_pkcs8(&key.to_pkcs8()).unwrap();
        prop_assert_eq!(again.seed(), &seed);
        prop_assert_eq!(again.public_key(), key.public_key());
        prop_assert_eq!(again.sign(b"message"), key.sign(b"message"));
    }
}

#[test]
fn every_damaged_byte_is_noticed() {
    for cipher in [Cipher::Aes256, Cipher::ChaCha20] {
        let key = stored_key(&[1; 32], cipher);
        let ciphertext = key
            .seal(&Replay((0..28).collect()), b"sixteen bytes...", b"context")
            .unwrap();
        for at in 0..ciphertext.len() {
            for bit in 0..8 {
                let mut damaged = ciphertext.clone();
                damaged[at] ^= 1 << bit;
                assert_eq!(
                    key.open(&damaged, b"context").err(),
                    Some(Error::NotAuthentic)
                );
            }
            let truncated = key.open(&ciphertext[..at], b"context");
            assert_eq!(truncated.err(), Some(Error::NotAuthentic));
        }
    }
}

#[test]
fn keys_without_hmac_key_say_so() {
    let key =
        StoredKey::decode(br#"{"bytes":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#).unwrap();
    assert_eq!(key.hmac(b"message"), Err(Error::NoHmacKey));
}

#[test]
fn system_randomness_does_not_repeat() {
    let key = stored_key(&[1; 32], Cipher::native());
    let seal = || key.seal(&SystemRandom, b"", b"").unwrap();
    assert_ne!(seal(), seal());
}

#[test]
fn base64_is_read_as_kes_peers_read_it() {
    let decode = |text: &str| decode_base64(text.as_bytes()).map(|bytes| bytes.to_vec());
    assert_eq!(decode("Zm9v\r\nYmE=\n"), Ok(b"fooba".to_vec()));
    assert_eq!(decode("Zh=="), Ok(b"f".to_vec()));
    for refused in ["Zg", "Zg=", "Zm9v YmE=", "_-8=", "Zg==Zg=="] {
        assert_eq!(decode(refused), Err(Error::Base64), "{refused}");
    }
}

#[test]
fn sha256_of_fips_180() {
    let digest = crate::hex(&sha256(b"abc"));
    assert_eq!(
        digest,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}
