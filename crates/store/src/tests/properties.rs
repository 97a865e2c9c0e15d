use proptest::prelude::*;

use super::invariants;
use super::strategies::{batches, state};
use crate::testing::*;
use crate::{Batch, Error, State, Table, apply, apply_batch, backup};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn replaying_gives_the_same_state(batches in batches()) {
        let (mut one, mut two) = (State::default(), State::default());
        for batch in &batches {
            // The second replica reads what the first one wrote to the log.
            let copy = Batch::decode(&batch.encode()).expect("own encoding");
            let (first, second) = (apply_batch(&one, batch), apply_batch(&two, &copy));
            prop_assert_eq!(&first.outcomes, &second.outcomes);
            prop_assert!(first.changes == second.changes);
            (one, two) = (first.state, second.state);
            prop_assert_eq!(one.digest(), two.digest());
            prop_assert_eq!(one.commit(), two.commit());
            prop_assert_eq!(&one, &two);
            invariants::check(&one);
        }
    }

    #[test]
    fn what_was_written_loads_as_what_was_applied(
        batches in batches(),
        turn in any::<prop::sample::Index>(),
    ) {
        let mut state = State::default();
        let mut disk = Disk::default();
        for batch in &batches {
            let applied = apply_batch(&state, batch);
            disk.write(&applied.changes);
            state = applied.state;
        }
        // In any order.
        let mut records = disk.records();
        if !records.is_empty() {
            let middle = turn.index(records.len());
            records.rotate_left(middle);
        }
        let loaded = State::load(records).expect("the records of one state");
        prop_assert_eq!(&loaded, &state);
        prop_assert_eq!(loaded.commit(), state.commit());
        prop_assert_eq!(loaded.digest(), state.digest());
        invariants::check(&loaded);

        // What is known of operations is kept, too.
        for batch in &batches {
            let (one, two) = (apply_batch(&loaded, batch), apply_batch(&state, batch));
            prop_assert_eq!(one.outcomes, two.outcomes);
            prop_assert_eq!(one.state, two.state);
        }
    }

    #[test]
    fn the_records_of_a_state_make_it_again(state in state()) {
        let records: Vec<_> = state.records().collect();
        let loaded = State::load(records.clone()).expect("its own records");
        prop_assert_eq!(&loaded, &state);
        let again: Vec<_> = loaded.records().collect();
        prop_assert!(records == again);
    }

    #[test]
    fn a_record_less_or_changed_is_noticed(state in state(), at in any::<prop::sample::Index>()) {
        let mut records: Vec<_> = state.records().collect();
        let at = at.index(records.len());
        if records[at].table == Table::Recent {
            return Ok(());
        }
        let record = records.remove(at);
        prop_assert!(State::load(records.clone()).is_err());
        let changed = match record.table {
            Table::Head => record.value.iter().map(|byte| byte ^ 1).collect(),
            _ => [&record.value[..], b"\xa2\x06\x01x"].concat(),
        };
        records.push(crate::Record { value: changed.into(), ..record });
        prop_assert!(State::load(records).is_err());
    }

    #[test]
    fn a_refused_operation_changes_nothing(batches in batches()) {
        let mut state = State::default();
        for (_, operation) in batches.iter().flat_map(|batch| &batch.operations) {
            let digest = state.digest();
            match apply(&state, operation) {
                Ok((next, changes)) => {
                    prop_assert_eq!(next.commit(), state.commit() + 1);
                    prop_assert!(!changes.is_empty());
                    state = next;
                }
                Err(error) => {
                    prop_assert!(error.status.is_client_error());
                    prop_assert_eq!(state.digest(), digest);
                }
            }
        }
    }

    #[test]
    fn earlier_states_stay_as_they_were(batches in batches()) {
        let mut history: Vec<(State, Vec<crate::Record>)> = Vec::new();
        let mut state = State::default();
        for batch in &batches {
            history.push((state.clone(), state.records().collect()));
            state = apply_batch(&state, batch).state;
        }
        for (old, records) in history {
            prop_assert!(old.records().eq(records));
        }
    }

    #[test]
    fn a_backup_brings_the_state_back(state in state()) {
        let records = backup::encode_records(&state);
        let restored = backup::decode_records(&records).expect("own encoding");
        prop_assert_eq!(&restored, &state);
        prop_assert_eq!(restored.digest(), state.digest());
        invariants::check(&restored);
    }
}

#[test]
fn nothing_is_a_new_state() {
    let state = State::load([]).expect("nothing");
    assert_eq!(state, State::default());
    assert!(state.is_empty());
    assert_eq!(state.commit(), 0);
}

#[test]
fn records_without_a_head_are_no_state() {
    let world = World::with_people();
    let records = world
        .0
        .records()
        .filter(|record| record.table != Table::Head);
    assert_eq!(State::load(records), Err(Error::Digest));
}
