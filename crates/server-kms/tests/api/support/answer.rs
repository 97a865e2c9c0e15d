use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use keystead_wire_kms::{ApiError, Command, decode_answers};
use prost::Message;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

// === impl Answer ===

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The answers to commands of one kind, after a check of the head.
    #[track_caller]
    pub(crate) fn messages<M: Message + Default>(&self, command: Command) -> Vec<M> {
        assert_eq!(self.status, 200, "{:?}", self.error());
        assert_eq!(self.headers["content-type"], "application/octet-stream");
        self.has_length();
        assert!(!self.headers.contains_key("content-encoding"));
        decode_answers(command, &self.body).unwrap()
    }

    #[track_caller]
    pub(crate) fn message<M: Message + Default>(&self, command: Command) -> M {
        let mut messages = self.messages(command);
        assert_eq!(messages.len(), 1);
        messages.remove(0)
    }

    /// Checks for the answer to a change of the state (decision D18).
    #[track_caller]
    pub(crate) fn is_done(&self, command: Command) {
        assert_eq!(self.status, 200, "{:?}", self.error());
        let expected = [&command.code().to_be_bytes()[..], &[0; 4]].concat();
        assert_eq!(self.body, expected);
        self.has_length();
    }

    /// Checks for success without data.
    #[track_caller]
    pub(crate) fn is_empty(&self) {
        assert_eq!((self.status, self.text()), (200, ""));
        assert_eq!(self.headers["content-length"], "0");
    }

    /// The error as the official client reads it.
    pub(crate) fn error(&self) -> ApiError {
        let content_type = self.headers.get("content-type");
        let content_type = content_type.map(|it| it.to_str().unwrap());
        let status = StatusCode::from_u16(self.status).unwrap();
        ApiError::decode(status, content_type, &self.body)
    }

    /// Checks for an error, byte by byte.
    #[track_caller]
    pub(crate) fn is_error(&self, status: u16, message: &str) {
        let body = serde_json::json!({ "message": message }).to_string();
        assert_eq!((self.status, self.text()), (status, body.as_str()));
        assert_eq!(self.headers["content-type"], "application/json");
        self.has_length();
    }

    #[track_caller]
    pub(crate) fn is(&self, error: &ApiError) {
        self.is_error(error.status.as_u16(), &error.message);
    }

    #[track_caller]
    fn has_length(&self) {
        let length = self.body.len().to_string();
        assert_eq!(self.headers["content-length"], length);
    }
}
