//! Errors with two faces: what the client is told, and what the log is told.

use std::borrow::Cow;
use std::fmt;

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use keystead_wire_kes::{ApiError, CONTENT_TYPE_JSON};

use crate::Body;

const JSON: HeaderValue = HeaderValue::from_static(CONTENT_TYPE_JSON);

/// Any error, as the cause of another.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A failed request: the exact answer for the client and the cause for the error log.
///
/// The cause never reaches the client, and neither holds key material.
#[derive(Debug)]
pub struct HttpError {
    /// Status of the answer.
    pub status: StatusCode,
    /// Message of the answer.
    pub external: Cow<'static, str>,
    /// The cause, for the error log only.
    pub internal: Option<BoxError>,
}

impl HttpError {
    /// An error without a cause worth a log line.
    pub fn new(status: StatusCode, external: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            external: external.into(),
            internal: None,
        }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<BoxError>) -> Self {
        self.internal = Some(cause.into());
        self
    }

    /// The answer to the client (KES protocol, section 3.5).
    pub fn into_response(self) -> Response<Body> {
        let error = ApiError {
            status: self.status,
            message: self.external,
        };
        let mut response = Response::new(Body::full(error.body()));
        *response.status_mut() = error.status;
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        response
    }
}

// === impl HttpError ===

impl From<ApiError> for HttpError {
    fn from(error: ApiError) -> Self {
        Self::new(error.status, error.message)
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), self.external)?;
        match &self.internal {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for HttpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.internal {
            Some(cause) => Some(cause.as_ref()),
            None => None,
        }
    }
}
