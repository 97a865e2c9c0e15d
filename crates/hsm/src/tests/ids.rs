//! Texts of clusters, root encryption keys and HSM keys.

use keystead_crypto::{Cipher, SystemRandom};
use proptest::array::{uniform8, uniform16};
use proptest::prelude::*;

use super::Replay;
use crate::{ClusterId, HsmKey, RootKey, RootKeyId};

#[test]
fn a_cluster_is_a_uuid_of_version_4() {
    let id = ClusterId::generate(&Replay(vec![0xff])).unwrap();
    assert_eq!(id.to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    let id = ClusterId::generate(&Replay(vec![0])).unwrap();
    assert_eq!(id.to_string(), "00000000-0000-4000-8000-000000000000");
    let (one, other) = (
        RootKey::generate(&SystemRandom),
        RootKey::generate(&SystemRandom),
    );
    assert_ne!(one.unwrap().cluster(), other.unwrap().cluster());
}

#[test]
fn malformed_identifiers_are_refused() {
    let id = "00112233-4455-6677-8899-aabbccddeeff";
    assert!(id.parse::<ClusterId>().is_ok());
    for wrong in [
        "",
        "00112233445566778899aabbccddeeff",
        "00112233-4455-6677-8899-aabbccddeef",
        "00112233-4455-6677-8899-aabbccddeeff-",
        "+0112233-4455-6677-8899-aabbccddeeff",
        "0011223-34455-6677-8899-aabbccddeeff",
        "00112233-4455-6677-8899-aabbccddeefg",
        "{0112233-4455-6677-8899-aabbccddeef}",
    ] {
        assert!(wrong.parse::<ClusterId>().is_err(), "{wrong}");
    }
    for wrong in [
        "",
        "00149a4dcf78df8",
        "00149a4dcf78df8a0",
        "+0149a4dcf78df8a",
        "ä0149a4dcf78df8",
    ] {
        assert!(wrong.parse::<RootKeyId>().is_err(), "{wrong}");
    }
}

#[test]
fn hsm_keys_are_drawn_for_either_cipher() {
    for (cipher, length) in [(Cipher::Aes256, 55), (Cipher::ChaCha20, 57)] {
        let key = HsmKey::generate(cipher, &SystemRandom).unwrap();
        assert_eq!(key.to_text().len(), length);
        let again = HsmKey::parse(&key.to_text()).unwrap();
        assert_eq!(again.to_text(), key.to_text());
        assert_eq!(again.cipher(), cipher);
    }
}

proptest! {
    #[test]
    fn identifiers_survive_their_text(cluster in uniform16(any::<u8>()), key in uniform8(any::<u8>())) {
        let cluster = ClusterId::from_bytes(cluster);
        prop_assert_eq!(cluster.to_string().parse::<ClusterId>().unwrap(), cluster);
        prop_assert_eq!(cluster.to_string().to_uppercase().parse::<ClusterId>().unwrap(), cluster);
        let key = RootKeyId::from_bytes(key);
        prop_assert_eq!(key.to_string().parse::<RootKeyId>().unwrap(), key);
    }

    #[test]
    fn any_text_is_read_without_panic(text in "(hsm:(aes256|chacha20):)?[A-Za-z0-9+/=\r\n]{0,50}") {
        if let Ok(key) = HsmKey::parse(&text) {
            prop_assert!(HsmKey::parse(&key.to_text()).is_ok());
        }
    }

    #[test]
    fn any_bytes_are_decoded_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        prop_assert!(RootKey::decode(&bytes).is_err());
        let framed = [&b"KSTDREK1"[..], &bytes].concat();
        prop_assert_eq!(RootKey::decode(&framed).is_ok(), bytes.len() == 48);
    }
}
