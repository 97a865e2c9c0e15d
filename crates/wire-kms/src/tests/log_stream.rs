use proptest::prelude::*;

use prost::Message;

use crate::message::{LogRecord, LogRequest, log_record::StackFrame};
use crate::{LogDecoder, MAX_LOG_RECORD, decode_log_request, encode_log_record};

fn frame(function: &str) -> StackFrame {
    StackFrame {
        function: function.into(),
        file: "src/lib.rs".into(),
        line: 1,
    }
}

fn read_back(record: LogRecord) -> LogRecord {
    let bytes = encode_log_record(record);
    assert!(bytes.len() <= MAX_LOG_RECORD + 4);
    let mut decoder = LogDecoder::new();
    decoder.push(&bytes);
    let record = decoder.next_record().unwrap().unwrap();
    assert!(decoder.next_record().unwrap().is_none());
    record
}

#[test]
fn a_long_trace_is_cut_from_outside() {
    let record = LogRecord {
        message: "failed".into(),
        trace: (0..500).map(|n| frame(&format!("f{n}"))).collect(),
        ..Default::default()
    };
    let read = read_back(record);
    assert_eq!(read.message, "failed");
    assert!(read.trace.len() > 50);
    assert_eq!(read.trace[0].function, "f0");
}

#[test]
fn a_record_over_the_limit_ends_the_stream() {
    let mut decoder = LogDecoder::new();
    decoder.push(&u32::MAX.to_be_bytes());
    assert!(decoder.next_record().is_err());
}

#[test]
fn requests_of_old_clients_are_read() {
    let request = LogRequest {
        level: 4,
        message: "failed".into(),
        trace_level: 8,
        ..Default::default()
    };
    assert_eq!(decode_log_request(&request.encode_to_vec()), Ok(request));
    // Level 4, method filter "POST" in field 4, trace level 8 in field 8.
    let old = [&[0x08, 8, 0x22, 4], b"POST".as_slice(), &[0x40, 16]].concat();
    let read = decode_log_request(&old).unwrap();
    assert_eq!((read.level, read.trace_level), (4, 8));
    assert!(decode_log_request(&[0x08]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_message_fits(message in "\\PC{0,1600}") {
        let record = LogRecord { message: message.clone(), ..Default::default() };
        let read = read_back(record);
        prop_assert!(message.starts_with(&read.message));
    }

    #[test]
    fn any_stream_is_read_or_refused(bytes: Vec<u8>) {
        let mut decoder = LogDecoder::new();
        decoder.push(&bytes);
        while let Ok(Some(record)) = decoder.next_record() {
            prop_assert!(record.message.len() <= MAX_LOG_RECORD);
        }
    }
}
