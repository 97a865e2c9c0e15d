//! Rings: which versions there are, and what opens what.

use std::collections::BTreeMap;

use proptest::array::uniform32;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::{Replay, ring};
use crate::{Cipher, Error, KeyRing, KeyVersion, Sealer, SecretKey, SystemRandom};

fn version(number: u32) -> KeyVersion {
    KeyVersion::generate(number, Cipher::Aes256, &SystemRandom).unwrap()
}

fn numbers(ring: &KeyRing) -> Vec<u32> {
    ring.versions().map(|version| version.version).collect()
}

#[test]
fn versions_come_and_go_and_numbers_stay_used() {
    let ring = KeyRing::new(version(1)).unwrap();
    assert_eq!(
        (ring.count(), ring.highest(), ring.next_version()),
        (1, 1, Some(2))
    );
    let ring = ring.with_version(version(2)).unwrap();
    let ring = ring.with_version(version(5)).unwrap();
    assert_eq!(numbers(&ring), [1, 2, 5]);
    assert_eq!(ring.version(0).unwrap().version, 5);
    assert_eq!(ring.version(3).err(), Some(Error::NoKeyVersion));
    assert_eq!(ring.with_version(version(5)).err(), Some(Error::KeyVersion));
    assert_eq!(ring.with_version(version(0)).err(), Some(Error::KeyVersion));

    let without_latest = ring.without(0).unwrap().unwrap();
    assert_eq!(numbers(&without_latest), [1, 2]);
    assert_eq!(without_latest.next_version(), Some(6));
    assert_eq!(
        without_latest.with_version(version(5)).err(),
        Some(Error::KeyVersion)
    );
    assert_eq!(ring.without(4).err(), Some(Error::NoKeyVersion));

    let one = without_latest.without(1).unwrap().unwrap();
    assert_eq!((numbers(&one), one.highest()), (vec![2], 5));
    assert!(one.without(2).unwrap().is_none());
    assert_eq!(numbers(&ring), [1, 2, 5], "a ring does not change");
}

#[test]
fn rings_that_cannot_be_are_refused() {
    let refused = |versions: &[u32], highest| {
        let versions = versions.iter().map(|number| version(*number));
        KeyRing::restore(versions, highest).err()
    };
    assert_eq!(refused(&[], 1), Some(Error::KeyVersion));
    assert_eq!(refused(&[0], 1), Some(Error::KeyVersion));
    assert_eq!(refused(&[1, 2, 1], 2), Some(Error::KeyVersion));
    assert_eq!(refused(&[1, 3], 2), Some(Error::KeyVersion));
    assert_eq!(refused(&[3, 1], 3), None);
    assert_eq!(KeyRing::new(version(0)).err(), Some(Error::KeyVersion));
    let last = KeyRing::restore([version(1)], u32::MAX).unwrap();
    assert_eq!(last.next_version(), None);
}

#[test]
fn a_ring_is_full_at_a_thousand_versions() {
    let key = SecretKey::from_bytes([1; 32]);
    let versions = (1..=1000).map(|version| KeyVersion {
        version,
        cipher: Cipher::ChaCha20,
        key: key.clone(),
        imported: false,
    });
    let ring = KeyRing::restore(versions, 1000).unwrap();
    assert_eq!(ring.count(), KeyRing::MAX_VERSIONS);
    let more = ring.with_version(version(1001));
    assert_eq!(more.err(), Some(Error::TooManyKeyVersions));
    let fewer = ring.without(1).unwrap().unwrap();
    assert!(fewer.with_version(version(1001)).is_ok());
}

/// A million keys are a million of these, and one version takes no heap.
#[test]
fn a_ring_is_small() {
    assert!(size_of::<KeyVersion>() <= 40);
    assert!(size_of::<KeyRing>() <= 64);
}

#[test]
fn a_data_key_is_drawn_first_and_sealed_like_anything_else() {
    let ring = ring(Cipher::Aes256, false, &[(1, [1; 32]), (2, [2; 32])], 2);
    for length in [0, 1, 32, 1024] {
        let drawn: Vec<u8> = (0..=255).cycle().take(length + 28).collect();
        let data_key = ring
            .generate(&Replay(drawn.clone()), 1, length, b"context")
            .unwrap();
        assert_eq!(data_key.version, 1);
        assert_eq!(*data_key.plaintext, drawn[..length]);
        let random = Replay(drawn[length..].to_vec());
        let (version, sealed) = ring
            .encrypt(&random, 1, &drawn[..length], b"context")
            .unwrap();
        assert_eq!((version, &sealed), (1, &data_key.ciphertext));
        assert_eq!(sealed.len(), length + KeyRing::OVERHEAD);
    }
    assert_eq!(ring.generate(&SystemRandom, 0, 32, b"").unwrap().version, 2);
    let missing = ring.generate(&SystemRandom, 3, 32, b"").err();
    assert_eq!(missing, Some(Error::NoKeyVersion));
    assert_eq!(ring.encrypt(&SystemRandom, 3, b"", b"").err(), missing);
    assert_eq!(ring.mac(3, b"").err(), missing);
}

#[test]
fn macs_differ_between_versions_and_are_not_sealing_keys() {
    let ring = ring(Cipher::Aes256, false, &[(1, [1; 32]), (2, [2; 32])], 2);
    assert_eq!(ring.mac(0, b"m").unwrap(), ring.mac(2, b"m").unwrap());
    assert_ne!(ring.mac(1, b"m").unwrap().1, ring.mac(2, b"m").unwrap().1);
    let iv = [7; 16];
    let sealing = ring.latest().key.subkey(Cipher::Aes256, &iv);
    assert_ne!(ring.mac(0, &iv).unwrap().1, *sealing);
}

#[test]
fn every_damaged_byte_is_noticed() {
    for cipher in [Cipher::Aes256, Cipher::ChaCha20] {
        let ring = ring(cipher, true, &[(1, [1; 32]), (2, [2; 32])], 2);
        let sealer = Sealer::with_cipher(SecretKey::from_bytes([2; 32]), cipher);
        let random = Replay((0..28).collect());
        let (_, ciphertext) = ring
            .encrypt(&random, 2, b"sixteen bytes...", b"context")
            .unwrap();
        let record = sealer
            .seal(&random, b"sixteen bytes...", b"context")
            .unwrap();
        assert_eq!(record, ciphertext, "one layout");
        let refused = |damaged: &[u8]| {
            for version in [0, 1, 2] {
                let error = ring.decrypt(version, damaged, b"context").err();
                assert_eq!(error, Some(Error::NotAuthentic));
            }
            let error = sealer.open(damaged, b"context").err();
            assert_eq!(error, Some(Error::NotAuthentic));
        };
        for at in 0..ciphertext.len() {
            for bit in 0..8 {
                let mut damaged = ciphertext.clone();
                damaged[at] ^= 1 << bit;
                refused(&damaged);
            }
            refused(&ciphertext[..at]);
            refused(&ciphertext[at + 1..]);
        }
        refused(&[&ciphertext[..], b"\0"].concat());
        assert_eq!(
            *sealer.open(&record, b"context").unwrap(),
            b"sixteen bytes..."
        );
        assert!(sealer.open(&record, b"other").is_err());
    }
}

fn ciphers() -> impl Strategy<Value = Cipher> {
    prop_oneof![Just(Cipher::Aes256), Just(Cipher::ChaCha20)]
}

type Versions = BTreeMap<u32, ([u8; 32], Cipher, bool)>;

fn versions() -> impl Strategy<Value = Versions> {
    let version = (uniform32(any::<u8>()), ciphers(), any::<bool>());
    btree_map(1..20_u32, version, 1..6)
}

fn ring_of(versions: Versions) -> KeyRing {
    let versions = versions
        .into_iter()
        .map(|(version, (key, cipher, imported))| KeyVersion {
            version,
            cipher,
            key: SecretKey::from_bytes(key),
            imported,
        });
    KeyRing::restore(versions, 20).unwrap()
}

proptest! {
    #[test]
    fn every_version_opens_what_it_sealed(
        versions in versions(),
        at in any::<prop::sample::Index>(),
        plaintext in vec(any::<u8>(), 0..300),
        context in vec(any::<u8>(), 0..50),
    ) {
        let ring = ring_of(versions);
        let numbers = numbers(&ring);
        let number = *at.get(&numbers);
        let (version, ciphertext) = ring.encrypt(&SystemRandom, number, &plaintext, &context).unwrap();
        prop_assert_eq!(version, number);
        for asked in [0, 1, number] {
            let opened = ring.decrypt(asked, &ciphertext, &context).unwrap();
            prop_assert_eq!(&*opened, &plaintext);
        }
        for other in numbers.into_iter().filter(|other| *other != number && *other != 1) {
            prop_assert_eq!(ring.decrypt(other, &ciphertext, &context).err(), Some(Error::NotAuthentic));
        }
        prop_assert_eq!(ring.decrypt(20, &ciphertext, &context).err(), Some(Error::NoKeyVersion));
        // Without its version nothing opens it.
        if let Some(rest) = ring.without(number).unwrap() {
            prop_assert!(rest.decrypt(0, &ciphertext, &context).is_err());
            prop_assert_eq!(rest.decrypt(number, &ciphertext, &context).err(), Some(Error::NoKeyVersion));
        }
    }

    #[test]
    fn any_bytes_are_refused_without_panic(
        versions in versions(),
        version in 0..22_u32,
        first in prop_oneof![Just(0x95), Just(b'{'), any::<u8>()],
        rest in vec(any::<u8>(), 0..200),
    ) {
        let ring = ring_of(versions);
        let ciphertext = [vec![first], rest].concat();
        let expected = match ring.version(version) {
            Err(error) => error,
            Ok(_) => Error::NotAuthentic,
        };
        prop_assert_eq!(ring.decrypt(version, &ciphertext, b"").err(), Some(expected));
    }

    #[test]
    fn an_imported_key_opens_either_cipher(key in uniform32(any::<u8>()), cipher in ciphers()) {
        let sealer = ring(cipher, false, &[(1, key)], 1);
        let (_, ciphertext) = sealer.encrypt(&SystemRandom, 0, b"plaintext", b"").unwrap();
        for (other, imported, opens) in [
            (Cipher::Aes256, true, true),
            (Cipher::ChaCha20, true, true),
            (cipher, false, true),
            (if cipher == Cipher::Aes256 { Cipher::ChaCha20 } else { Cipher::Aes256 }, false, false),
        ] {
            let ring = ring(other, imported, &[(1, key)], 1);
            prop_assert_eq!(ring.decrypt(0, &ciphertext, b"").is_ok(), opens);
        }
    }
}
