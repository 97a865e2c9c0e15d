//! Errors with two faces: what the client is told, and what the log is told.

use http::StatusCode;
use keystead_http::BoxError;
use keystead_store::{HsmError, ProposeError};
use keystead_wire_kms::ApiError;

/// A request that is answered by an error. The cause never reaches the client.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: ApiError,
    pub(crate) cause: Option<BoxError>,
}

// === impl Failure ===

impl Failure {
    /// An error of the server itself.
    pub(crate) fn internal(message: &'static str, cause: impl Into<BoxError>) -> Self {
        Self::from(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, message)).because(cause)
    }

    /// An error that may pass by itself.
    pub(crate) fn unavailable(message: &'static str, cause: impl Into<BoxError>) -> Self {
        Self::from(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, message)).because(cause)
    }

    pub(crate) fn because(mut self, cause: impl Into<BoxError>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self { error, cause: None }
    }
}

/// What the wire crate cannot read is the client's fault.
impl From<keystead_wire_kms::Error> for Failure {
    fn from(error: keystead_wire_kms::Error) -> Self {
        ApiError::from(error).into()
    }
}

impl From<keystead_crypto::Error> for Failure {
    fn from(error: keystead_crypto::Error) -> Self {
        match error {
            keystead_crypto::Error::NoKeyVersion => ApiError::KEY_NOT_FOUND.into(),
            keystead_crypto::Error::NotAuthentic => ApiError::INVALID_CIPHERTEXT.into(),
            keystead_crypto::Error::PlaintextTooLong => ApiError::TOO_LARGE.into(),
            error => Self::internal("cryptographic operation failed", error),
        }
    }
}

impl From<ProposeError> for Failure {
    fn from(error: ProposeError) -> Self {
        match error {
            ProposeError::Api(error) => error.into(),
            error => Self::unavailable("the server cannot change its state now", error),
        }
    }
}

impl From<HsmError> for Failure {
    fn from(error: HsmError) -> Self {
        match error {
            HsmError::Api(error) => error.into(),
            error => Self::internal("the hsm entry cannot be changed", error),
        }
    }
}

/// 400 with a text of its own.
pub(crate) fn bad_request(message: impl Into<std::borrow::Cow<'static, str>>) -> Failure {
    ApiError::new(StatusCode::BAD_REQUEST, message).into()
}
