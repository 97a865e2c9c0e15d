//! Log entries of MinIO KMS, with the content of backups in them: whatever is accepted
//! survives its own encoding, and the state that it makes is the one that its records
//! make.
#![no_main]

use keystead_store::{Batch, Record, State, apply_batch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|entry: &[u8]| {
    let Ok(batch) = Batch::decode(entry) else {
        return;
    };
    let again = Batch::decode(&batch.encode()).expect("own encoding");
    let applied = apply_batch(&State::default(), &batch);
    let copy = apply_batch(&State::default(), &again);
    assert_eq!(applied.outcomes, copy.outcomes);
    assert_eq!(applied.state, copy.state);
    assert!(applied.changes == copy.changes);

    let records: Vec<Record> = applied.state.records().collect();
    let loaded = State::load(records).expect("own records");
    assert_eq!(loaded, applied.state);
    assert_eq!(loaded.commit(), applied.state.commit());
});
