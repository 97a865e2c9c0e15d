use keystead_crypto::SystemRandom;
use keystead_hsm::RootKey;
use zeroize::Zeroizing;

use super::document::{Document, Entry, Root};
use super::record_keys::RecordError;
use super::{HsmError, Kind, RecordKeys};

fn keys(root: &RootKey, older: &[&RootKey]) -> RecordKeys {
    RecordKeys::new(0, Zeroizing::new([3; 32]), root, older)
}

#[test]
fn a_record_opens_at_its_place_only() {
    let root = RootKey::generate(&SystemRandom).unwrap();
    let keys = keys(&root, &[]);
    let record = keys
        .seal(&SystemRandom, Kind::State, b"place", b"content")
        .unwrap();
    assert_eq!(
        *keys.open(Kind::State, b"place", &record).unwrap(),
        b"content"
    );

    let not_authentic = Some(RecordError::NotAuthentic);
    assert_eq!(
        keys.open(Kind::State, b"plac", &record).err(),
        not_authentic
    );
    assert_eq!(
        keys.open(Kind::LogMeta, b"place", &record).err(),
        not_authentic
    );
    let other_node = RecordKeys::new(1, Zeroizing::new([3; 32]), &root, &[]);
    assert_eq!(
        other_node.open(Kind::State, b"place", &record).err(),
        not_authentic
    );
    for length in 0..record.len() {
        assert!(keys.open(Kind::State, b"place", &record[..length]).is_err());
    }
    for index in 0..record.len() {
        let mut record = record.clone();
        record[index] ^= 1;
        assert!(keys.open(Kind::State, b"place", &record).is_err());
    }
}

#[test]
fn old_records_open_with_the_new_root_key_in_front() {
    let old = RootKey::generate(&SystemRandom).unwrap();
    let new = old.successor(&SystemRandom).unwrap();
    let (before, after) = (keys(&old, &[]), keys(&new, &[&old]));
    let record = before
        .seal(&SystemRandom, Kind::State, b"", b"content")
        .unwrap();
    assert_eq!(*after.open(Kind::State, b"", &record).unwrap(), b"content");
    assert!(before.is_current(&record) && !after.is_current(&record));
    let record = after
        .seal(&SystemRandom, Kind::State, b"", b"content")
        .unwrap();
    let unknown = Some(RecordError::UnknownRoot);
    assert_eq!(before.open(Kind::State, b"", &record).err(), unknown);
    assert_eq!(before.name(5, b"key"), after.name(5, b"key"));
    assert_ne!(before.name(5, b"key"), after.name(4, b"key"));
}

#[test]
fn the_key_of_names_survives_in_its_sealed_form() {
    let root = RootKey::generate(&SystemRandom).unwrap();
    let sealed = keys(&root, &[]).seal_names(&SystemRandom).unwrap();
    let names = RecordKeys::open_names(0, &sealed, &[&root]).unwrap();
    assert_eq!(*names, [3; 32]);
    assert!(RecordKeys::open_names(1, &sealed, &[&root]).is_err());
    let other = RootKey::generate(&SystemRandom).unwrap();
    assert!(RecordKeys::open_names(0, &sealed, &[&other]).is_err());
}

#[test]
fn the_document_is_read_back_and_every_accident_is_seen() {
    let root = RootKey::generate(&SystemRandom).unwrap();
    let mut sealed = Root {
        id: root.id(),
        entries: Vec::new(),
    };
    sealed.put(Entry {
        hsm: "hsm:minio:soft".to_owned(),
        sealed: vec![1, 2, 3],
    });
    let document = Document::new(root.cluster(), "host:7373".to_owned(), sealed, vec![9; 80]);
    let text = document.encode().unwrap();
    let read = Document::decode(&text).unwrap();
    assert_eq!(read.encode().unwrap(), text);
    assert_eq!(
        read.current_root()
            .unwrap()
            .entry("hsm:minio:soft")
            .unwrap()
            .sealed,
        [1, 2, 3]
    );

    for index in 0..text.len() {
        let mut text = text.clone();
        text[index] ^= 1;
        match Document::decode(&text) {
            Err(HsmError::Damaged(_) | HsmError::Newer { .. }) => {}
            // Blanks mean nothing.
            Ok(read) => assert_eq!(read.encode().unwrap(), document.encode().unwrap()),
            Err(error) => panic!("{error}"),
        }
    }
}
