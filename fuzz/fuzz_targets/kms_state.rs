//! Records of the state of a MinIO KMS server: whatever order and content they have,
//! they make a state or a fault, and never a panic.
//!
//! A record of the input is its table, the lengths of key and content in a byte each,
//! key and content.
#![no_main]

use keystead_store::{Record, State, Table};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut rest = input;
    let mut records = Vec::new();
    while let Some((&[table, key, value], tail)) = rest.split_first_chunk() {
        let table = Table::ALL[usize::from(table) % Table::ALL.len()];
        let key_len = usize::from(key).min(tail.len());
        let (key, tail) = tail.split_at(key_len);
        let value_len = usize::from(value).min(tail.len());
        let (value, tail) = tail.split_at(value_len);
        records.push(Record {
            table,
            key: key.to_vec(),
            value: value.to_vec().into(),
        });
        rest = tail;
    }
    if let Ok(state) = State::load(records) {
        let again: Vec<Record> = state.records().collect();
        assert_eq!(State::load(again).expect("own records"), state);
    }
});
