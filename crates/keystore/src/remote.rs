//! What the clients of key stores with a plain REST API have in common.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use keystead_config::SecretSource;
use keystead_crypto::Secret;
use keystead_rest::header::HeaderValue;
use keystead_rest::{Answer, Error as RestError, StatusCode, Transport, presentable};
use keystead_wire_kes::Name;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task;
use zeroize::Zeroizing;

use crate::Error;

/// The most bytes of the page that tells whether a server is there.
const MAX_PAGE: usize = 1 << 20;

/// Why such a key store did not do what it was asked. The texts are for the operator;
/// what an answer repeats of the secrets of its request is left out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoteError {
    #[error(transparent)]
    Tls(#[from] keystead_tls::Error),
    #[error("open {}: {source}", path.display())]
    Credential { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Transport(#[from] keystead_rest::Error),
    /// An answer without success.
    #[error("{status}: {message}{advice}")]
    Refused {
        status: StatusCode,
        message: String,
        /// What to do, in parentheses and after a blank.
        advice: &'static str,
    },
    /// There is no session.
    #[cfg_attr(
        not(feature = "keysecure"),
        allow(dead_code, reason = "only that store has sessions")
    )]
    #[error("login failed: {0}")]
    Login(Arc<RemoteError>),
    /// The name leads to another place, or nowhere.
    #[error("'{0}' cannot be the name of a key")]
    Name(String),
    /// Everything else, and what to do about it.
    #[error("{0}")]
    Other(&'static str),
}

// === impl RemoteError ===

impl RemoteError {
    /// An answer with a message that the client has found in it, if it has one.
    pub(crate) fn refused(answer: &Answer, message: Option<&str>, secrets: &[&str]) -> Self {
        let body = String::from_utf8_lossy(&answer.body);
        let message = presentable(message.unwrap_or(&body), secrets);
        Self::Refused {
            status: answer.status,
            message: if message.is_empty() {
                "no reason given".to_owned()
            } else {
                message
            },
            advice: "",
        }
    }

    /// With what to do about it.
    pub(crate) fn advise(mut self, text: &'static str) -> Self {
        if let Self::Refused { advice, .. } = &mut self {
            *advice = text;
        }
        self
    }

    /// With what to do if the key store does not know who asks, or does not let them.
    pub(crate) fn advise_denied(self, unknown: &'static str, forbidden: &'static str) -> Self {
        match &self {
            Self::Refused { status, .. } if *status == StatusCode::UNAUTHORIZED => {
                self.advise(unknown)
            }
            Self::Refused { status, .. } if *status == StatusCode::FORBIDDEN => {
                self.advise(forbidden)
            }
            _ => self,
        }
    }

    /// Whether the request is at fault, so that it would be refused again.
    pub(crate) fn is_lasting(&self) -> bool {
        match self {
            Self::Refused { status, .. } => {
                status.is_client_error() && *status != StatusCode::TOO_MANY_REQUESTS
            }
            _ => false,
        }
    }

    fn is_unreachable(&self) -> bool {
        match self {
            Self::Transport(_) => true,
            Self::Login(cause) => cause.is_unreachable(),
            _ => false,
        }
    }

    fn is_denial(&self) -> bool {
        match self {
            Self::Refused { status, .. } => {
                matches!(*status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            }
            Self::Login(cause) => cause.is_lasting(),
            _ => false,
        }
    }
}

impl From<RemoteError> for Error {
    fn from(error: RemoteError) -> Self {
        if error.is_unreachable() {
            Self::unreachable(error)
        } else if error.is_denial() {
            Self::denied(error)
        } else {
            Self::failed(error)
        }
    }
}

/// Whether a key store answers: any page of its own will do, but not that of a proxy
/// without it.
pub(crate) async fn reach(transport: &Transport) -> Result<(), RemoteError> {
    let root = |client: &keystead_rest::Client, endpoint: &keystead_rest::Endpoint| {
        client.get(endpoint.url(""))
    };
    match transport.once(root, MAX_PAGE).await {
        Ok(answer) if answer.status.is_server_error() => {
            Err(RemoteError::refused(&answer, None, &[]))
        }
        Ok(_) | Err(RestError::TooLong { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A credential as it is now.
pub(crate) async fn read(source: &SecretSource) -> Result<Secret, RemoteError> {
    let path = match source {
        SecretSource::Value(secret) => return Ok(secret.clone()),
        SecretSource::File(path) => path.clone(),
    };
    let file = source.clone();
    // A network file system may keep it waiting.
    task::spawn_blocking(move || file.read())
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
        .map_err(|source| RemoteError::Credential { path, source })
}

/// The value of an `Authorization` header, which no log shows; `None` if the secret
/// cannot stand in one.
pub(crate) fn authorization(scheme: &str, secret: &Secret) -> Option<HeaderValue> {
    let text = Zeroizing::new([scheme, " ", secret.expose()].concat());
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A name that means itself in a path.
pub(crate) fn segment(name: &str) -> Result<&str, RemoteError> {
    if Name::is_valid(name) {
        Ok(name)
    } else {
        Err(RemoteError::Name(name.to_owned()))
    }
}

/// The body of a request.
pub(crate) fn encode(body: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, RemoteError> {
    serde_json::to_vec(body)
        .map(Zeroizing::new)
        .map_err(|_| RemoteError::Other("the request cannot be written as JSON"))
}

/// The body of an answer with success. The cause of a failure would quote it, and it may
/// hold a secret.
pub(crate) fn decode<T: DeserializeOwned>(answer: &Answer) -> Result<T, RemoteError> {
    serde_json::from_slice(&answer.body)
        .map_err(|_| RemoteError::Other("the answer of the key store cannot be understood"))
}

/// At most `limit` of the names that can be keys, with `prefix` and from `start` on.
pub(crate) fn page(mut names: Vec<String>, prefix: &str, start: &str, limit: usize) -> Vec<String> {
    names.retain(|name| name.starts_with(prefix) && name.as_str() >= start && Name::is_valid(name));
    names.sort_unstable();
    names.dedup();
    names.truncate(limit);
    names
}
