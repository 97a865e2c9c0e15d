use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use keystead_crypto::SecretKey;
use proptest::prelude::*;

use super::golden::golden;
use crate::State;
use crate::backup::{Error, Reader, write};
use crate::testing::*;

fn open(file: impl Read, key: &SecretKey) -> Result<State, Error> {
    Reader::new(file)?.read(key)
}

fn gzip(file: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(file).expect("a vector");
    encoder.finish().expect("a vector")
}

/// A backup of several frames of the stream.
fn large() -> Vec<u8> {
    let (file, key) = golden();
    let header = Reader::new(file.as_slice())
        .expect("a header")
        .header()
        .clone();
    let mut world = World::with_people();
    for number in 0..400 {
        world.must(create_key(&format!("key-{number}")));
    }
    let chance = [8; 40];
    let file = write(
        &world.0,
        &header.origin,
        &key,
        &Fixed::new(&chance),
        Vec::new(),
    );
    file.expect("no fault")
}

#[test]
fn every_flipped_byte_is_noticed() {
    let (file, key) = golden();
    assert!(open(file.as_slice(), &key).is_ok());
    for at in 0..file.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut damaged = file.clone();
            damaged[at] ^= mask;
            assert!(open(damaged.as_slice(), &key).is_err(), "byte {at}, {mask}");
        }
    }
}

#[test]
fn every_cut_is_noticed() {
    let (file, key) = golden();
    for length in 0..file.len() {
        assert!(open(&file[..length], &key).is_err(), "{length} bytes");
    }
    let longer = [&file[..], &[0]].concat();
    assert!(open(longer.as_slice(), &key).is_err());
}

#[test]
fn a_cut_between_frames_is_noticed() {
    let (_, key) = golden();
    let file = large();
    assert!(open(file.as_slice(), &key).is_ok());
    let header = u32::from_be_bytes([file[8], file[9], file[10], file[11]]);
    let start = 12 + usize::try_from(header).expect("short");
    let frame = 16_384 + 16;
    assert!(file.len() > start + 2 * frame, "more than two frames");
    for length in [start, start + frame, start + 2 * frame] {
        assert!(open(&file[..length], &key).is_err(), "{length} bytes");
    }
    let second = file[start + frame..start + 2 * frame].to_vec();
    let mut swapped = file.clone();
    swapped.splice(start..start + frame, second);
    assert!(open(swapped.as_slice(), &key).is_err());
}

#[test]
fn gzip_around_it_is_taken() {
    let (file, key) = golden();
    let plain = open(file.as_slice(), &key).expect("a state");
    let compressed = gzip(&file);
    assert_eq!(open(compressed.as_slice(), &key).expect("a state"), plain);
    for length in 0..compressed.len() {
        assert!(open(&compressed[..length], &key).is_err(), "{length} bytes");
    }
    let longer = [&compressed[..], b"more"].concat();
    assert!(open(longer.as_slice(), &key).is_err());
}

#[test]
fn what_is_no_backup_is_called_so() {
    let (file, key) = golden();
    for other in [
        &b""[..],
        b"KSTDBAK",
        b"PK\x03\x04 a zip file",
        b"KSTDBAK2xxxx",
    ] {
        let error = open(other, &key).expect_err("no backup");
        assert!(matches!(error, Error::NotBackup), "{error}");
    }
    let other_key = SecretKey::from_bytes([1; 32]);
    let error = open(file.as_slice(), &other_key).expect_err("another key");
    assert!(matches!(error, Error::Damaged), "{error}");
    let huge = [b"KSTDBAK1".as_slice(), &[0xff; 4]].concat();
    let error = open(huge.as_slice(), &key).expect_err("a huge header");
    assert!(matches!(error, Error::Header(_)), "{error}");
}

#[test]
fn headers_are_read_with_care() {
    let (_, key) = golden();
    let with_header = |json: &str| {
        let length = u32::try_from(json.len()).expect("short").to_be_bytes();
        let file = [b"KSTDBAK1".as_slice(), &length, json.as_bytes()].concat();
        open(file.as_slice(), &key).expect_err("no stream")
    };
    let newer = r#"{"format":"keystead-minkms-backup","version":2,"other":1}"#;
    assert!(matches!(with_header(newer), Error::Version(2)));
    let foreign = r#"{"format":"another","version":1}"#;
    assert!(matches!(with_header(foreign), Error::NotBackup));
    for broken in [
        "",
        "{}",
        "[]",
        r#"{"format":"keystead-minkms-backup","version":1}"#,
    ] {
        assert!(matches!(with_header(broken), Error::Header(_)), "{broken}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damage_of_a_large_backup_is_noticed(
        at in any::<prop::sample::Index>(),
        mask in 1..=u8::MAX,
    ) {
        let (_, key) = golden();
        let mut file = large();
        let at = at.index(file.len());
        file[at] ^= mask;
        prop_assert!(open(file.as_slice(), &key).is_err());
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
        let (_, key) = golden();
        prop_assert!(open(bytes.as_slice(), &key).is_err());
        // Whatever they make, it is no panic.
        let read = crate::backup::decode_records(&bytes);
        prop_assert!(read.is_err() || read.is_ok());
    }
}
