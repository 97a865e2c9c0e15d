use std::marker::PhantomData;

use bytes::{Buf, BytesMut};
use http_body_util::BodyExt;
use keystead_wire_kes::decode_response;
use reqwest::Body;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::client::Answer;

/// The longest line, in bytes.
const MAX_LINE: usize = 1 << 20;

/// The events of a log as they happen, until the server closes the stream.
pub struct LogStream<T> {
    host: String,
    body: Body,
    buffer: BytesMut,
    record: PhantomData<fn() -> T>,
}

// === impl LogStream ===

impl<T: DeserializeOwned> LogStream<T> {
    pub(crate) fn new(answer: Answer) -> Self {
        Self {
            host: answer.host,
            body: answer.response.into_body(),
            buffer: BytesMut::new(),
            record: PhantomData,
        }
    }

    /// Waits for the next event; `None` when the server has closed the stream.
    ///
    /// Dropping the future before it is ready loses no event.
    ///
    /// # Errors
    ///
    /// [`Error::Connection`] if the connection broke, [`Error::Response`] for a line
    /// that is no event. The stream goes on after the latter.
    pub async fn next(&mut self) -> Result<Option<T>, Error> {
        loop {
            while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end);
                self.buffer.advance(1);
                if !line.trim_ascii().is_empty() {
                    return Ok(Some(decode_response(&line)?));
                }
            }
            if self.buffer.len() > MAX_LINE {
                return Err(Error::connection(&self.host, "a log line is too long"));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.buffer.extend_from_slice(data);
                    }
                }
                Some(Err(error)) => return Err(Error::connection(&self.host, error)),
                None => return Ok(None),
            }
        }
    }
}
