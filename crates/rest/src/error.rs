use std::error::Error as StdError;
use std::iter;
use std::time::Duration;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no URL of a server.
    #[error("invalid endpoint '{endpoint}': {reason}")]
    Endpoint {
        /// What was given, without credentials.
        endpoint: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No server was given.
    #[error("no endpoint specified")]
    NoEndpoint,
    /// The HTTP client cannot be set up.
    #[error("failed to set up the HTTP client: {}", root(.0))]
    Setup(reqwest::Error),
    /// No answer, or only a part of it, came from the server.
    #[error("{endpoint}: {}", root(cause))]
    Connection {
        /// The URL of the server.
        endpoint: String,
        /// What went wrong.
        cause: reqwest::Error,
    },
    /// The server took too long for one attempt.
    #[error("{endpoint}: no answer within {limit:?}")]
    TimedOut {
        /// The URL of the server.
        endpoint: String,
        /// How long it had.
        limit: Duration,
    },
    /// All attempts together took too long.
    #[error("no answer within {0:?}")]
    Deadline(Duration),
    /// The answer is longer than it may be.
    #[error("{endpoint}: the answer is longer than {limit} bytes")]
    TooLong {
        /// The URL of the server.
        endpoint: String,
        /// The most bytes of it.
        limit: usize,
    },
}

// === impl Error ===

impl Error {
    /// Whether another attempt at the same server may do better.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Connection { cause, .. } => !keystead_tls::is_untrusted(cause),
            Self::TimedOut { .. } => true,
            _ => false,
        }
    }
}

/// The innermost cause; those around it only say in which of its stages the HTTP
/// client was.
fn root<'e>(error: &'e (dyn StdError + 'static)) -> &'e (dyn StdError + 'static) {
    iter::successors(Some(error), |&error| error.source())
        .last()
        .unwrap_or(error)
}
