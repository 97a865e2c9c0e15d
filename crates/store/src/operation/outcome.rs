use std::sync::Arc;

use http::StatusCode;
use keystead_wire_kms::ApiError;
use prost::Message;

use crate::Error;

/// What became of an operation: done, or refused with the answer for the client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome(Option<Arc<ApiError>>);

#[derive(Clone, PartialEq, Message)]
pub(super) struct OutcomeRecord {
    /// 0 if it was done.
    #[prost(uint32, tag = "1")]
    pub(super) status: u32,
    #[prost(string, tag = "2")]
    pub(super) message: String,
}

// === impl Outcome ===

impl Outcome {
    /// It was done.
    pub const DONE: Self = Self(None);

    /// Success, or the error for the client.
    ///
    /// # Errors
    ///
    /// The error that [`apply`](crate::apply) gave.
    pub fn into_result(self) -> Result<(), ApiError> {
        match self.0 {
            None => Ok(()),
            Some(error) => Err(Arc::unwrap_or_clone(error)),
        }
    }

    /// Whether it was done.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.0.is_none()
    }

    /// For records, logs and other nodes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let record = match &self.0 {
            None => OutcomeRecord::default(),
            Some(error) => OutcomeRecord {
                status: error.status.as_u16().into(),
                message: error.message.clone().into_owned(),
            },
        };
        record.encode_to_vec()
    }

    /// The inverse of [`encode`](Self::encode).
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let malformed = Error::malformed("outcome");
        let record = OutcomeRecord::decode(bytes).map_err(|_| malformed.clone())?;
        if record.status == 0 {
            return Ok(Self::DONE);
        }
        let status = u16::try_from(record.status).ok();
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        let error = ApiError::new(status.ok_or(malformed)?, record.message);
        Ok(Err(error).into())
    }
}

impl From<Result<(), ApiError>> for Outcome {
    fn from(result: Result<(), ApiError>) -> Self {
        Self(result.err().map(Arc::new))
    }
}
