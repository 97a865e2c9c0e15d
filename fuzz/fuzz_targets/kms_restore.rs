//! The content of backups of MinIO KMS, which a log entry carries: whatever is accepted
//! makes a state that has the same content again.
#![no_main]

use keystead_store::{Batch, Operation, OperationId, State, apply_batch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|content: &[u8]| {
    let Ok(batch) = Batch::decode(&log_entry(content)) else {
        return;
    };
    let state = apply_batch(&State::default(), &batch).state;
    let restore = Operation::Restore(Box::new(state.clone()));
    let batch = Batch {
        operations: vec![(OperationId([1; 16]), restore)],
    };
    let again = Batch::decode(&batch.encode()).expect("own encoding");
    assert_eq!(apply_batch(&State::default(), &again).state, state);
});

/// The entry of one operation: number 12, with `content` in field 16.
fn log_entry(content: &[u8]) -> Vec<u8> {
    let operation = field(&[0x82, 0x01], content);
    let item = [
        field(&[0x0a], &[1; 16]),
        vec![0x10, 12],
        field(&[0x1a], &operation),
    ];
    field(&[0x0a], &item.concat())
}

/// Bytes under a tag, after their length.
fn field(tag: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut field = tag.to_vec();
    let mut length = bytes.len();
    while length >= 0x80 {
        field.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    field.extend_from_slice(bytes);
    field
}
