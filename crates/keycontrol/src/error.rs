use std::io;
use std::sync::Arc;

use keystead_rest::{NoToken, StatusCode};

use crate::Action;

/// Why KeyControl did not do what it was asked.
///
/// The texts are for the operator and contain those of the causes. What an answer
/// repeats of the password, the token or a secret of the request is left out.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A certificate authority cannot be used.
    #[error("keycontrol: {0}")]
    Tls(#[from] keystead_tls::Error),
    /// The file with the password cannot be read.
    #[error("keycontrol: failed to read the password: {0}")]
    Password(Arc<io::Error>),
    /// The appliance did not answer.
    #[error("keycontrol: {0}")]
    Connection(Arc<keystead_rest::Error>),
    /// There is a secret of this name already.
    #[error("keycontrol: secret already exists")]
    Exists,
    /// There is no secret of this name.
    #[error("keycontrol: secret not found")]
    NotFound,
    /// The account has no right to do this: status 404 without a body.
    #[error("keycontrol: {0}: action denied by KeyControl")]
    Denied(Action),
    /// The appliance refused with a message of its own.
    #[error("keycontrol: {message}")]
    Refused {
        /// The status of the answer.
        status: StatusCode,
        /// What the appliance said.
        message: String,
    },
    /// The settings of the box stand between the account and the secret.
    #[error(
        "keycontrol: {0} (unset exclusive checkout, checkout duration and secondary approval \
         of the box)"
    )]
    NotGranted(String),
    /// The answer is an error without a message of the API, perhaps from a proxy.
    #[error("keycontrol: {status}: {text}")]
    Unexpected {
        /// The status of the answer.
        status: StatusCode,
        /// The beginning of its body.
        text: String,
    },
    /// The answer says success, but does not have the form that belongs to it.
    #[error("keycontrol: {0}: the answer cannot be understood")]
    Malformed(Action),
    /// The value of a secret was not written by a KES server.
    #[error("keycontrol: the secret is not in base64")]
    NotBase64,
    /// One page of a list leads to itself.
    #[error("keycontrol: the list does not end")]
    EndlessList,
    /// There is no token.
    #[error("keycontrol: login failed: {}", reason(.0))]
    Login(Arc<Error>),
    /// The login was answered without a token.
    #[error("keycontrol: auth token is empty")]
    EmptyToken,
    /// The client has been closed, and its token is not accepted any more.
    #[error("keycontrol: the client is closed")]
    Closed,
}

// === impl Error ===

impl Error {
    /// Whether the appliance did not answer at all.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Connection(_) => true,
            Self::Login(cause) => cause.is_unreachable(),
            _ => false,
        }
    }

    /// Whether the account has no right to do this, or may not log in.
    #[must_use]
    pub fn is_denial(&self) -> bool {
        match self {
            Self::Denied(_) => true,
            Self::Refused { status, .. } | Self::Unexpected { status, .. } => {
                matches!(*status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            }
            Self::Login(cause) => cause.is_denial(),
            _ => false,
        }
    }

    /// Whether the appliance answered that the request is at fault.
    pub(crate) fn is_client_error(&self) -> bool {
        match self {
            Self::Denied(_) => true,
            Self::Refused { status, .. } | Self::Unexpected { status, .. } => {
                status.is_client_error()
            }
            _ => false,
        }
    }

    pub(crate) fn password(error: io::Error) -> Self {
        Self::Password(Arc::new(error))
    }

    /// The error of a checkout; tells what to do if it is about the settings of the box.
    ///
    /// How the appliance says so is not published.
    pub(crate) fn of_checkout(self) -> Self {
        match self {
            Self::Refused { message, .. }
                if speaks_of(&message, &["checkout", "checked out", "lease", "approv"]) =>
            {
                Self::NotGranted(message)
            }
            other => other,
        }
    }

    /// Whether the appliance does not accept the token.
    pub(crate) fn is_unauthenticated(&self) -> bool {
        match self {
            Self::Unexpected { status, .. } => *status == StatusCode::UNAUTHORIZED,
            Self::Refused { status, message } => match *status {
                StatusCode::UNAUTHORIZED => true,
                StatusCode::FORBIDDEN => speaks_of(message, &["authenticat", "token", "session"]),
                _ => false,
            },
            _ => false,
        }
    }
}

impl From<keystead_rest::Error> for Error {
    fn from(error: keystead_rest::Error) -> Self {
        Self::Connection(Arc::new(error))
    }
}

impl From<NoToken<Self>> for Error {
    fn from(reason: NoToken<Self>) -> Self {
        match reason {
            NoToken::Login(cause) => Self::Login(cause),
            NoToken::Closed => Self::Closed,
        }
    }
}

fn speaks_of(message: &str, words: &[&str]) -> bool {
    let message = message.to_ascii_lowercase();
    words.iter().any(|word| message.contains(word))
}

/// The text of an error without the prefix that all have.
fn reason(error: &Error) -> String {
    let text = error.to_string();
    match text.strip_prefix("keycontrol: ") {
        Some(reason) => reason.to_owned(),
        None => text,
    }
}
