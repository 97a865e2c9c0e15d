use std::sync::Arc;

use http::StatusCode;
use keystead_wire_kes::ApiError;

/// Why a call did not succeed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server refused; compare with the constants of [`ApiError`].
    #[error(transparent)]
    Api(#[from] ApiError),
    /// No answer, or only a part of it, came from the server.
    #[error("kes: connection error: {}", root_cause(&**source))]
    Connection {
        /// Host and port of the server.
        host: String,
        /// What went wrong.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The server sent a document of another shape.
    #[error("kes: {0}")]
    Response(#[from] keystead_wire_kes::Error),
    /// The server answered with a status that says neither success nor error.
    #[error("kes: unexpected response status {0}")]
    Status(StatusCode),
    /// The text is no URL of a server.
    #[error("invalid server endpoint '{endpoint}': {reason}")]
    Endpoint {
        /// What was given.
        endpoint: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There can be no connections at all.
    #[error("kes: cannot set up connections: {}", root_cause(&**.0))]
    Setup(Arc<dyn std::error::Error + Send + Sync>),
    /// No server was given.
    #[error("no server specified. Consider setting MINIO_KES_SERVER")]
    NoEndpoint,
}

/// The innermost cause: the others only name the layers of an HTTP client.
fn root_cause<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a dyn std::error::Error {
    error.source().map_or(error, root_cause)
}

// === impl Error ===

impl Error {
    /// The answer of the server, if there was one.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            _ => None,
        }
    }

    pub(crate) fn connection(
        host: &str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Connection {
            host: host.to_owned(),
            source: source.into().into(),
        }
    }
}
