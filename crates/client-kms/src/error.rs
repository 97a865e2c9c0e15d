use std::sync::Arc;

use keystead_wire_kms::ApiError;

/// Why a call did not succeed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A server refused; compare with the constants of [`ApiError`].
    #[error("{error}")]
    Api {
        /// Host and port of the server.
        host: String,
        /// What it answered.
        error: ApiError,
    },
    /// No answer, or only a part of it, came from the server. Nothing was changed.
    #[error("no answer from {host}: {}", root_cause(&**source))]
    Connection {
        /// Host and port of the server.
        host: String,
        /// What went wrong.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// A change of the state was sent, and no answer came back.
    #[error(
        "no answer from {host}: {}; the change may have been made all the same, look before \
         you try again",
        root_cause(&**source)
    )]
    UnknownOutcome {
        /// Host and port of the server.
        host: String,
        /// What went wrong.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// A server sent a document of another shape.
    #[error("{host}: {source}")]
    Response {
        /// Host and port of the server.
        host: String,
        /// What is wrong with it.
        source: keystead_wire_kms::Error,
    },
    /// The text is no name of an enclave.
    #[error("invalid enclave name '{0}'")]
    EnclaveName(String),
    /// The text is no server.
    #[error("invalid server '{endpoint}': {reason}")]
    Endpoint {
        /// What was given.
        endpoint: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There can be no connections at all.
    #[error("cannot set up connections: {}", root_cause(&**.0))]
    Setup(Arc<dyn std::error::Error + Send + Sync>),
    /// No server was given.
    #[error("no server specified. Consider setting MINIO_KMS_SERVER")]
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
            Self::Api { error, .. } => Some(error),
            _ => None,
        }
    }

    /// Host and port of the server that the error is about.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Api { host, .. }
            | Self::Connection { host, .. }
            | Self::UnknownOutcome { host, .. }
            | Self::Response { host, .. } => Some(host),
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

    pub(crate) fn response(host: &str, source: keystead_wire_kms::Error) -> Self {
        Self::Response {
            host: host.to_owned(),
            source,
        }
    }

    /// The same fault, for a request that changes the state and was sent.
    pub(crate) fn after_a_change(self) -> Self {
        match self {
            Self::Connection { host, source } => Self::UnknownOutcome { host, source },
            other => other,
        }
    }
}
