use std::error::Error as StdError;
use std::io;
use std::iter;
use std::path::PathBuf;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_secretsmanager::config::http::HttpResponse;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use keystead_rest::{Error as RestError, presentable};

use crate::Error;

/// What the service answers to somebody whom it does not know, and what to do about it.
const UNKNOWN: [(&str, &str); 9] = [
    ("UnrecognizedClientException", "look at accesskey and token"),
    ("InvalidClientTokenId", "look at accesskey and token"),
    (
        "ExpiredTokenException",
        "the session has ended: renew the token",
    ),
    ("ExpiredToken", "the session has ended: renew the token"),
    ("RequestExpired", "look at the clock of this machine"),
    (
        "InvalidSignatureException",
        "look at secretkey and region, and at the clock of this machine",
    ),
    (
        "SignatureDoesNotMatch",
        "look at secretkey and region, and at the clock of this machine",
    ),
    ("IncompleteSignature", "look at accesskey"),
    ("IncompleteSignatureException", "look at accesskey"),
];

/// A call of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    CreateSecret,
    GetSecretValue,
    DeleteSecret,
    ListSecrets,
}

/// Why the service did not do what it was asked. The texts are for the operator; what an
/// answer repeats of the credentials and of the value is left out.
#[derive(Debug, thiserror::Error)]
pub(super) enum AwsError {
    #[error("aws: {0}")]
    Tls(#[from] keystead_tls::Error),
    #[error("aws: {0}")]
    Transport(#[from] RestError),
    #[error("aws: failed to read {}: {source}", path.display())]
    CredentialFile { path: PathBuf, source: io::Error },
    /// Nothing to sign with.
    #[error(
        "aws: no credentials: {0} (write accesskey and secretkey into the configuration, or \
         let the environment, a credentials file, a container or an instance role have some)"
    )]
    NoCredentials(String),
    /// The service does not know who asks. What it says about that may contain the whole
    /// request with its session token.
    #[error("aws: {action:?}: credentials are not accepted: {code} ({advice})")]
    Unknown {
        action: Action,
        code: String,
        advice: &'static str,
    },
    /// The service refused with a message of its own.
    #[error("aws: {action:?}: {code}: {message}{advice}")]
    Refused {
        action: Action,
        code: String,
        message: String,
        /// What to do, in parentheses and after a blank.
        advice: &'static str,
    },
    /// An error that is none of the service's, perhaps from a proxy.
    #[error("aws: {action:?}: HTTP status {status}: {text}")]
    Unexpected {
        action: Action,
        status: u16,
        text: String,
    },
    #[error("aws: {0:?}: the answer cannot be understood")]
    Malformed(Action),
    #[error("aws: {action:?}: {text}")]
    Unsent { action: Action, text: String },
    #[error("aws: {action:?}: no answer within {limit:?}")]
    Deadline { action: Action, limit: Duration },
    #[error("aws: the secret has no value")]
    Empty,
    #[error("aws: the value is not text")]
    NotText,
    /// One page of a list leads to itself.
    #[error("aws: the list does not end")]
    EndlessList,
}

// === impl AwsError ===

impl AwsError {
    /// What an error of the AWS crates says.
    pub(super) fn of<E>(action: Action, error: &SdkError<E, HttpResponse>, secrets: &[&str]) -> Self
    where
        E: StdError + ProvideErrorMetadata + 'static,
    {
        if let Some(error) = find::<CredentialsError>(error) {
            return Self::without_credentials(error);
        }
        if let Some(error) = find::<RestError>(error) {
            return Self::Unsent {
                action,
                text: presentable(&error.to_string(), secrets),
            };
        }
        let status = error.raw_response().map(|answer| answer.status().as_u16());
        match (error.code(), status) {
            (Some(code), _) => Self::refused(action, code, error.message(), secrets),
            (None, Some(200..300)) => Self::Malformed(action),
            (None, Some(status)) => {
                let body = error
                    .raw_response()
                    .and_then(|answer| answer.body().bytes());
                let text = String::from_utf8_lossy(body.unwrap_or_default());
                let text = presentable(&text, secrets);
                Self::Unexpected {
                    action,
                    status,
                    text,
                }
            }
            (None, None) => Self::Unsent {
                action,
                text: presentable(&chain(error), secrets),
            },
        }
    }

    /// That there is nothing to sign with.
    pub(super) fn without_credentials(error: &CredentialsError) -> Self {
        Self::NoCredentials(presentable(&chain(error), &[]))
    }

    fn refused(action: Action, code: &str, message: Option<&str>, secrets: &[&str]) -> Self {
        let unknown = UNKNOWN.iter().find(|(unknown, _)| *unknown == code);
        let code = presentable(code, secrets);
        match unknown {
            Some(&(_, advice)) => Self::Unknown {
                action,
                code,
                advice,
            },
            None => {
                let message = presentable(message.unwrap_or_default(), secrets);
                Self::Refused {
                    action,
                    advice: advice(&code, &message),
                    code,
                    message,
                }
            }
        }
    }

    /// Whether other credentials may do better.
    pub(super) fn is_about_credentials(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::Unsent { .. } | Self::Transport(_) | Self::Deadline { .. }
        )
    }

    fn is_denial(&self) -> bool {
        match self {
            Self::Unknown { .. } => true,
            Self::Refused { code, .. } => code.starts_with("AccessDenied"),
            Self::Unexpected { status, .. } => matches!(status, 401 | 403),
            _ => false,
        }
    }
}

impl From<AwsError> for Error {
    fn from(error: AwsError) -> Self {
        match &error {
            AwsError::Refused {
                action: Action::CreateSecret,
                code,
                ..
            } if code == "ResourceExistsException" => Self::KeyExists,
            AwsError::Refused {
                action: Action::GetSecretValue | Action::DeleteSecret,
                code,
                ..
            } if code == "ResourceNotFoundException" => Self::KeyNotFound,
            error_is if error_is.is_unreachable() => Self::unreachable(error),
            error_is if error_is.is_denial() => Self::denied(error),
            _ => Self::failed(error),
        }
    }
}

fn advice(code: &str, message: &str) -> &'static str {
    match code {
        "DecryptionFailure" => {
            " (cannot access the secret: look at the state and the policy of the KMS key)"
        }
        "EncryptionFailure" => " (look at the state and the policy of the KMS key)",
        "InvalidRequestException" if message.contains("delet") => {
            " (undo the deletion with 'aws secretsmanager restore-secret', or wait for its end)"
        }
        _ => "",
    }
}

/// The cause of a type.
fn find<'e, T: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e T> {
    iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
}

/// An error with its causes.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let causes = iter::successors(Some(error), |&error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}
