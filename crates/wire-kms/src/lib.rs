//! What MinIO KMS servers and clients say to each other: encode and decode only.
//!
//! A request body is a row of frames, each with a [`Command`] and a protobuf
//! [`message`]; so is its answer (MinIO KMS protocol, sections 3 to 8). [`Request`]
//! is a decoded command, [`FrameWriter`] writes the answers. Error answers are
//! protocol, too: clients compare status and text, so every text they know has its
//! constant in [`ApiError`].
//!
//! Nothing here does I/O or holds a clock. Messages with key material or data of
//! clients are wiped when they are dropped and cannot be printed.

mod api_error;
mod command;
mod error;
mod frame;
mod json;
mod log_stream;
pub mod message;
mod name;
mod privilege;
mod request;
mod rule_set;
mod tags;
#[cfg(test)]
mod tests;
mod time;

pub use api_error::{ApiError, CONTENT_TYPE_JSON, CONTENT_TYPE_PROTOBUF};
pub use command::Command;
pub use error::Error;
pub use frame::{Frame, FrameWriter, MAX_FRAMES, decode_answers, split_frames};
pub use log_stream::{LogDecoder, MAX_LOG_RECORD, decode_log_request, encode_log_record};
pub use name::Name;
pub use privilege::Privilege;
pub use request::Request;
pub use tags::check_tags;
pub use time::{from_timestamp, is_unset, to_timestamp};
