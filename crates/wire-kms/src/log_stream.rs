use prost::Message;

use crate::Error;
use crate::message::{LogRecord, LogRequest};

/// The longest record that the official client reads, in bytes.
pub const MAX_LOG_RECORD: usize = 4096;

/// The bytes before each record: its length, big-endian.
const PREFIX: usize = 4;

/// Reads the records of a log stream, whatever pieces it arrives in.
#[derive(Default)]
pub struct LogDecoder {
    buffered: Vec<u8>,
}

/// What clients sent before June 2025: four filters, of which the first has the number
/// that the trace level has now, and the trace level behind them.
#[derive(Clone, PartialEq, prost::Message)]
struct OldLogRequest {
    #[prost(sint32, tag = "1")]
    level: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, optional, tag = "3")]
    since: Option<prost_types::Timestamp>,
    #[prost(sint32, tag = "8")]
    trace_level: i32,
}

/// Reads the body of a request for the log, also that of an old client (MinIO KMS
/// protocol, section 12), whose filters are ignored.
///
/// # Errors
///
/// [`Error::Payload`].
pub fn decode_log_request(body: &[u8]) -> Result<LogRequest, Error> {
    LogRequest::decode(body).or_else(|_| {
        let invalid = |_| Error::Payload { command: "log" };
        let old = OldLogRequest::decode(body).map_err(invalid)?;
        Ok(LogRequest {
            level: old.level,
            message: old.message,
            since: old.since,
            trace_level: old.trace_level,
        })
    })
}

/// Writes one record of a log stream, its length before it. A record that is too long
/// loses first the frames that are farthest out, then the end of its message.
#[must_use]
pub fn encode_log_record(mut record: LogRecord) -> Vec<u8> {
    while record.encoded_len() > MAX_LOG_RECORD && record.trace.pop().is_some() {}
    while record.encoded_len() > MAX_LOG_RECORD {
        let excess = record.encoded_len() - MAX_LOG_RECORD;
        let end = record.message.len().saturating_sub(excess);
        let end = record.message.floor_char_boundary(end);
        record.message.truncate(end);
    }
    let length = u32::try_from(record.encoded_len()).unwrap_or(u32::MAX);
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(&record.encode_to_vec());
    bytes
}

// === impl LogDecoder ===

impl LogDecoder {
    /// A decoder at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffered.extend_from_slice(bytes);
    }

    /// The next record, if all of it has arrived.
    ///
    /// # Errors
    ///
    /// [`Error::Response`] for a record that is too long or no record. The stream
    /// cannot be read any further.
    pub fn next_record(&mut self) -> Result<Option<LogRecord>, Error> {
        let broken = |reason| Error::Response { reason };
        let Some((&length, rest)) = self.buffered.split_first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > MAX_LOG_RECORD {
            return Err(broken("a log record is too long"));
        }
        let Some(payload) = rest.get(..length) else {
            return Ok(None);
        };
        let record = LogRecord::decode(payload).map_err(|_| broken("a log record is broken"))?;
        self.buffered.drain(..PREFIX + length);
        Ok(Some(record))
    }
}
