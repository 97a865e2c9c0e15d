use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use keystead_crypto::{SecretKey, SystemRandom};
use keystead_hsm::RootKey;
use keystead_identity::KmsIdentity;
use zeroize::Zeroizing;

use super::{Applied, Tables, join, split};
use crate::disk::faulty::FaultyDisk;
use crate::seal::RecordKeys;
use crate::{Change, Created, Operation, State, apply};

fn tables(disk: &FaultyDisk) -> Tables {
    let random = Arc::new(SystemRandom);
    let root = SecretKey::from_bytes([1; 32]);
    let cluster = keystead_hsm::ClusterId::from_bytes([2; 16]);
    let root = RootKey::new(cluster, root).unwrap();
    let keys = RecordKeys::new(0, Zeroizing::new([3; 32]), &root, &[]);
    let keys = Arc::new(ArcSwap::from_pointee(keys));
    Tables::open(disk, keys, random).unwrap()
}

fn step(state: &State, operation: &Operation) -> (State, Vec<Change>) {
    apply(state, operation).unwrap()
}

fn created() -> Created {
    Created {
        at: Timestamp::UNIX_EPOCH,
        by: KmsIdentity::NOBODY,
    }
}

fn enclave(name: &str) -> Operation {
    Operation::CreateEnclave {
        name: name.to_owned(),
        created: created(),
    }
}

fn applied(state: &State) -> Applied {
    Applied {
        commit: state.commit(),
        ..Applied::default()
    }
}

#[test]
fn a_state_is_read_back_as_it_was() {
    let disk = FaultyDisk::default();
    let tables = tables(&disk);
    let (state, changes) = step(&State::default(), &enclave("a"));
    tables.write(&changes, &applied(&state)).unwrap();
    let (state, changes) = step(&state, &enclave("b"));
    tables.write(&changes, &applied(&state)).unwrap();
    let delete = Operation::DeleteEnclave {
        name: "a".to_owned(),
    };
    let (state, changes) = step(&state, &delete);
    tables.write(&changes, &applied(&state)).unwrap();
    tables.close();
    assert!(tables.load().is_err());

    let (read, position) = self::tables(&disk).load().unwrap();
    assert!(read == state);
    assert_eq!(position, applied(&state));
}

#[test]
fn what_was_not_made_durable_is_gone_as_a_whole_after_a_crash() {
    let disk = FaultyDisk::default();
    let tables = tables(&disk);
    let (first, changes) = step(&State::default(), &enclave("a"));
    tables.write(&changes, &applied(&first)).unwrap();
    tables.checkpoint().unwrap();
    let (second, changes) = step(&first, &enclave("b"));
    tables.write(&changes, &applied(&second)).unwrap();
    disk.crash(&mut crate::disk::faulty::Dice(1));
    let (read, position) = self::tables(&disk).load().unwrap();
    assert!(read == first);
    assert_eq!(position, applied(&first));
}

#[test]
fn a_missing_or_old_record_is_seen() {
    let disk = FaultyDisk::default();
    let tables = tables(&disk);
    let (first, changes) = step(&State::default(), &enclave("a"));
    tables.write(&changes, &applied(&first)).unwrap();
    let (second, mut changes) = step(&first, &enclave("b"));
    // All but one record of the second step.
    changes.remove(0);
    tables.write(&changes, &applied(&second)).unwrap();
    assert!(tables.load().is_err());
    tables.replace(&second, &applied(&first)).unwrap();
    let text = tables.load().err().unwrap().to_string();
    assert!(text.contains("its position in the log"), "{text}");
    tables.replace(&second, &applied(&second)).unwrap();
    assert!(tables.load().unwrap().0 == second);
}

#[test]
fn a_record_holds_its_key_and_its_value() {
    let content = join(b"key", b"value");
    assert_eq!(split(&content), Some((&b"key"[..], &b"value"[..])));
    assert_eq!(split(&content[..6]), None);
    assert_eq!(split(b""), None);
}
