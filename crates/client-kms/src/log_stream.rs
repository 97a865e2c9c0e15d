use bytes::Bytes;
use http::{Method, header};
use keystead_wire_kms::message::{LogRecord, LogRequest};
use keystead_wire_kms::{CONTENT_TYPE_PROTOBUF, Error as WireError, LogDecoder};
use prost::Message;

use crate::answer::Answer;
use crate::client::{Call, PROTOBUF, headers};
use crate::endpoint::Endpoint;
use crate::{Client, Error};

/// The error log of a server as it is written, until the server closes the stream.
pub struct LogStream {
    answer: Answer,
    decoder: LogDecoder,
}

/// The error log.
impl Client {
    /// The records of the server at `host`, or of any.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn logs(&self, host: Option<&str>, request: &LogRequest) -> Result<LogStream, Error> {
        let call = Call {
            method: Method::POST,
            path: "/v1/debug/log",
            headers: headers([(header::ACCEPT, PROTOBUF), (header::CONTENT_TYPE, PROTOBUF)]),
            body: Bytes::from(request.encode_to_vec()),
        };
        let answer = match host {
            Some(host) => self.ask_at(&Endpoint::parse(host)?, &call).await?,
            None => self.ask(&call).await?,
        };
        if answer.content_type() != Some(CONTENT_TYPE_PROTOBUF) {
            let reason = "not a log stream";
            return Err(Error::response(
                &answer.host,
                WireError::Response { reason },
            ));
        }
        Ok(LogStream {
            answer,
            decoder: LogDecoder::new(),
        })
    }
}

// === impl LogStream ===

impl LogStream {
    /// Waits for the next record; `None` when the server has closed the stream.
    ///
    /// Dropping the future before it is ready loses no record.
    ///
    /// # Errors
    ///
    /// [`Error::Connection`] if the connection broke, [`Error::Response`] for something
    /// that is no record. The stream cannot be read any further.
    pub async fn next(&mut self) -> Result<Option<LogRecord>, Error> {
        loop {
            let broken = |source| Error::response(&self.answer.host, source);
            if let Some(record) = self.decoder.next_record().map_err(broken)? {
                return Ok(Some(record));
            }
            match self.answer.next().await? {
                Some(piece) => self.decoder.push(&piece),
                None => return Ok(None),
            }
        }
    }
}
