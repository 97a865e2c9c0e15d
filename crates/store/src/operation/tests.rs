use keystead_wire_kms::ApiError;
use prost::Message;

use super::{Batch, Operation, OperationId, Outcome};
use crate::Error;
use crate::testing::*;

#[test]
fn an_operation_of_a_newer_release_is_named() {
    // Field 1: an item with id, number 77 and no content.
    let item = [&[0x0a, 16][..], &[5; 16], &[0x10, 77]].concat();
    let length = u8::try_from(item.len()).expect("short");
    let batch = [&[0x0a, length][..], &item].concat();
    let error = Batch::decode(&batch).expect_err("unknown");
    assert_eq!(error, Error::UnknownOperation { number: 77 });
    assert!(error.to_string().contains("newer release"));
}

#[test]
fn what_is_no_log_entry_is_refused() {
    let batch = Batch {
        operations: vec![(OperationId([1; 16]), create_key("k"))],
    };
    let bytes = batch.encode();
    assert_eq!(
        Batch::decode(&bytes[..bytes.len() - 1]).err(),
        Some(Error::malformed("log entry"))
    );
    // A key of 31 bytes.
    let position = bytes.windows(34).position(|it| it[..3] == [0x2a, 32, 7]);
    let mut short = bytes.to_vec();
    let position = position.expect("the key");
    short[position + 1] = 31;
    assert!(Batch::decode(&short).is_err());
}

#[test]
fn operations_and_batches_show_no_secrets() {
    let batch = Batch {
        operations: vec![(OperationId([1; 16]), import("k", None))],
    };
    let text = format!("{batch:?}");
    assert!(text.contains("Operation(import key)"), "{text}");
    assert!(!text.contains("9, 9"), "{text}");
}

#[test]
fn outcomes_survive_their_encoding() {
    let long = ApiError::new(http::StatusCode::IM_A_TEAPOT, "ä".repeat(300));
    let outcomes = [
        Outcome::DONE,
        Err(ApiError::KEY_EXISTS).into(),
        Err(long).into(),
    ];
    for outcome in outcomes {
        assert_eq!(Outcome::decode(&outcome.encode()), Ok(outcome));
    }
    let no_status = super::outcome::OutcomeRecord {
        status: 70_000,
        message: String::new(),
    };
    assert!(Outcome::decode(&no_status.encode_to_vec()).is_err());
}

#[test]
fn nobody_can_be_written_to_the_log() {
    let operation = Operation::SetRoot {
        identity: keystead_identity::KmsIdentity::NOBODY,
    };
    let batch = Batch {
        operations: vec![(OperationId([1; 16]), operation)],
    };
    assert!(Batch::decode(&batch.encode()).is_ok());
}
