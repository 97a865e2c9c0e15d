//! D11 to D14.

use keystead_crypto::Cipher::{Aes256, ChaCha20};
use keystead_crypto::{KeyRing, KeyVersion};
use keystead_wire_kms::ApiError;

use crate::testing::*;
use crate::{KeyEntry, Versions};

fn numbers(world: &World, name: &str) -> Vec<u32> {
    let versions = world.key(name).versions();
    versions.map(|(version, _)| version.version).collect()
}

#[test]
fn d11_the_type_is_the_one_asked_for_else_aes_else_that_of_the_latest() {
    let mut world = World::new();
    world.must(create_key("plain"));
    world.must(key("chacha", Some(ChaCha20), false));
    world.must(add_version("chacha"));
    world.must(key("chacha", Some(Aes256), true));
    world.must(add_version("chacha"));
    let ciphers = |name| {
        let versions = world.key(name).versions();
        versions.map(|(it, _)| it.cipher).collect::<Vec<_>>()
    };
    assert_eq!(ciphers("plain"), [Aes256]);
    assert_eq!(ciphers("chacha"), [ChaCha20, ChaCha20, Aes256, Aes256]);
}

#[test]
fn d12_versions_count_up_and_are_never_used_again() {
    let mut world = World::new();
    world.must(create_key("k"));
    world.must(add_version("k"));
    world.must(add_version("k"));
    assert_eq!(numbers(&world, "k"), [1, 2, 3]);
    world.must(delete_key("k", Versions::Latest));
    world.must(add_version("k"));
    assert_eq!(numbers(&world, "k"), [1, 2, 4]);
    world.must(delete_key("k", Versions::One(1)));
    assert_eq!(numbers(&world, "k"), [2, 4]);
    let gone = delete_key("k", Versions::One(1));
    assert_eq!(world.error(gone), ApiError::KEY_NOT_FOUND);
}

#[test]
fn d12_the_last_version_takes_the_ring_with_it() {
    let mut world = World::new();
    world.must(create_key("k"));
    world.must(add_version("k"));
    world.must(delete_key("k", Versions::One(1)));
    world.must(delete_key("k", Versions::Latest));
    assert!(world.tenant().key("k").is_none());
    world.must(create_key("k"));
    assert_eq!(numbers(&world, "k"), [1]);
    world.must(add_version("k"));
    world.must(delete_key("k", Versions::All));
    let gone = delete_key("k", Versions::All);
    assert_eq!(world.error(gone), ApiError::KEY_NOT_FOUND);
}

#[test]
fn d12_a_thousand_versions_are_enough() {
    let mut world = World::new();
    world.must(create_key("k"));
    for _ in 1..1000 {
        world.must(add_version("k"));
    }
    let refusal = world.refusal(add_version("k"));
    assert_eq!(refusal, (400, "too many key versions".to_owned()));
    world.must(delete_key("k", Versions::One(500)));
    world.must(add_version("k"));
    assert_eq!(numbers(&world, "k").last(), Some(&1001));
}

#[test]
fn d12_after_the_highest_number_there_is_no_next() {
    let mut world = World::new();
    world.must(create_key("k"));
    let version = KeyVersion {
        version: 1,
        cipher: Aes256,
        key: secret(1),
        imported: false,
    };
    let ring = KeyRing::restore([version], u32::MAX).expect("a ring");
    let entry = KeyEntry::new(ring, vec![created(1)]).expect("an entry");
    let mut edit = crate::model::Edit::new(&world.0);
    edit.put_key(TENANT, "k", entry);
    (world.0, _) = edit.finish();
    let error = world.error(add_version("k"));
    assert_eq!(error, ApiError::TOO_MANY_VERSIONS);
}

#[test]
fn d13_a_mistyped_name_is_no_rotation() {
    let mut world = World::new();
    assert_eq!(world.error(add_version("k")), ApiError::KEY_NOT_FOUND);
}

#[test]
fn d14_an_imported_key_is_new_marked_and_version_one() {
    let mut world = World::new();
    world.must(import("k", Some(ChaCha20)));
    world.must(import("plain", None));
    let latest = world.key("k").ring().latest();
    assert_eq!(
        (latest.version, latest.cipher, latest.imported),
        (1, ChaCha20, true)
    );
    assert_eq!(latest.key.expose(), &[9; 32]);
    assert_eq!(world.key("plain").ring().latest().cipher, Aes256);
    assert_eq!(world.error(import("k", None)), ApiError::KEY_EXISTS);
    world.must(add_version("k"));
    assert!(!world.key("k").ring().latest().imported);
}

#[test]
fn a_key_is_made_once() {
    let mut world = World::new();
    world.must(create_key("k"));
    assert_eq!(world.error(create_key("k")), ApiError::KEY_EXISTS);
    assert_eq!(world.error(import("k", None)), ApiError::KEY_EXISTS);
    let refusal = world.refusal(create_key("a b"));
    assert_eq!(refusal, (400, "invalid name".to_owned()));
}

#[test]
fn a_status_is_that_of_one_version() {
    let mut world = World::new();
    world.must(create_key("k"));
    world.must(key("k", Some(ChaCha20), true));
    let entry = world.key("k");
    let latest = entry.status("k", 0).expect("a latest version");
    assert_eq!((latest.version, latest.r#type.as_str()), (2, "ChaCha20"));
    assert_eq!(latest.created_by, created(3).by.to_string());
    assert_eq!(entry.status("k", 1).map(|it| it.version), Ok(1));
    assert_eq!(entry.status("k", 3), Err(ApiError::KEY_NOT_FOUND));
}
