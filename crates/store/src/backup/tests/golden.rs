use data_encoding::HEXLOWER;
use keystead_crypto::SecretKey;
use keystead_hsm::{ClusterId, RootKeyId, SealedEntry};
use serde_json::Value;

use crate::backup::{Origin, Reader, encode_records, write};
use crate::model::tests::vectors;
use crate::testing::*;

/// The golden backup and its key.
pub(super) fn golden() -> (Vec<u8>, SecretKey) {
    let section = section();
    let key = bytes(&section["backup_key"]);
    let key = SecretKey::try_from(key.as_slice()).expect("32 bytes");
    (bytes(&section["file"]), key)
}

fn section() -> Value {
    vectors()["decisions"]["backup"].clone()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let text = hex.as_str().expect("a text");
    HEXLOWER.decode(text.as_bytes()).expect("hex")
}

#[test]
fn the_golden_backup_opens() {
    let (file, key) = golden();
    let reader = Reader::new(file.as_slice()).expect("a header");
    let header = reader.header().clone();
    assert_eq!(header.commit, 7);
    assert_eq!(header.origin.root_key.to_string(), "00149a4dcf78df8a");
    assert_eq!(
        header.origin.cluster.to_string(),
        "00112233-4455-6677-8899-aabbccddeeff"
    );
    assert_eq!(header.origin.created.to_string(), "2025-01-02T03:04:05Z");
    let [entry] = header.origin.entries.as_slice() else {
        panic!("one entry");
    };
    assert_eq!(
        (entry.hsm.as_str(), entry.sealed.len()),
        ("hsm:minio:soft", 100)
    );

    let state = reader.read(&key).expect("a state");
    let root = state.root().expect("a root").to_string();
    assert_eq!(root, "h1:ikXCeVwRipKfnG9ZlVSNHWT3Iut9AWTKnDghqHe2rFk");
    let enclave = state.enclave("tenant-a").expect("an enclave");
    let ring = enclave.key("my-key").expect("a key").ring();
    assert_eq!(ring.count(), 1);
    assert_eq!(ring.latest().key.expose()[..4], [0, 1, 2, 3]);
    assert_eq!(
        encode_records(&state).as_slice(),
        bytes(&section()["plaintext"])
    );
}

#[test]
fn the_golden_backup_is_written_byte_for_byte() {
    let (file, key) = golden();
    let reader = Reader::new(file.as_slice()).expect("a header");
    let header = reader.header().clone();
    let mut state = reader.read(&key).expect("a state");
    state.commit = header.commit;
    let chance = [header.salt.as_slice(), &header.nonce].concat();
    let written = write(
        &state,
        &header.origin,
        &key,
        &Fixed::new(&chance),
        Vec::new(),
    );
    assert_eq!(written.expect("no fault"), file);
}

#[test]
fn an_entry_of_another_root_key_is_left_out() {
    let (_, key) = golden();
    let entry = |number: u8| SealedEntry {
        hsm: format!("hsm:{number}"),
        rek_id: RootKeyId::from_bytes([number; 8]),
        sealed: vec![number],
    };
    let mut origin = Origin {
        cluster: ClusterId::from_bytes([1; 16]),
        created: time(1),
        root_key: RootKeyId::from_bytes([2; 8]),
        entries: vec![entry(1), entry(2), entry(3)],
    };
    let state = World::new().0;
    let file = write(&state, &origin, &key, &Fixed::new(&[]), Vec::new());
    let file = file.expect("no fault");
    let reader = Reader::new(file.as_slice()).expect("a header");
    assert_eq!(reader.header().origin.entries, [entry(2)]);

    origin.entries.remove(1);
    let refused = write(&state, &origin, &key, &Fixed::new(&[]), Vec::new());
    assert!(matches!(refused, Err(crate::backup::Error::NoEntry)));
}
