use std::error::Error as StdError;
use std::io;
use std::iter;
use std::sync::Arc;
use std::time::Duration;

use azure_core::error::ErrorKind;
use azure_security_keyvault_secrets::models::KeyVaultError;
use keystead_rest::{Error as RestError, presentable};

use crate::Error;

/// Why Azure did not do what it was asked.
///
/// The texts are for the operator and contain those of the causes. What an answer
/// repeats of the client secret, a token or a value is left out.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum AzureError {
    /// There are no certificate authorities.
    #[error("azure: {0}")]
    Tls(#[from] keystead_tls::Error),
    /// The endpoint cannot be used.
    #[error("azure: {0}")]
    Endpoint(Arc<RestError>),
    /// Tokens travel over TLS alone.
    #[error("azure: the endpoint '{0}' does not begin with 'https://'")]
    NotHttps(String),
    /// The credentials cannot be used, whatever Azure would say to them.
    #[error("azure: {0}")]
    Credentials(String),
    /// The file with the client secret cannot be read.
    #[error("azure: failed to read the client secret: {0}")]
    ClientSecret(Arc<io::Error>),
    /// A name that the service does not allow.
    #[error(
        "azure: '{0}' cannot be the name of a secret: Azure Key Vault allows only 0-9, A-Z, a-z \
         and '-'; choose a key name without '_'"
    )]
    Name(String),
    /// Secrets are text.
    #[error("azure: the value is not text")]
    NotText,
    /// The service did not answer.
    #[error("azure: {0}")]
    Connection(Arc<RestError>),
    /// All attempts together took too long.
    #[error("azure: no answer within {limit:?}{}", last.as_ref().map_or_else(String::new, |last| format!(" ({})", reason(last))))]
    Deadline {
        /// How long they had.
        limit: Duration,
        /// What became of the last complete one.
        last: Option<Box<AzureError>>,
    },
    /// There is no token.
    #[error("azure: login failed: {}", reason(.0))]
    Login(Box<AzureError>),
    /// The token service refused.
    #[error("{status}: {message}")]
    NoToken {
        /// The status of the answer.
        status: u16,
        /// What it said.
        message: String,
    },
    /// The vault refused.
    #[error("azure: {status} {code}: {message}{}", advice(code))]
    Refused {
        /// The status of the answer.
        status: u16,
        /// The innermost code, or nothing.
        code: String,
        /// What the vault said.
        message: String,
    },
    /// The answer says success, but does not have the form that belongs to it.
    #[error("azure: {0}: the answer cannot be understood")]
    Malformed(&'static str),
    /// The attributes of the secret forbid its use.
    #[error("azure: {code}: {reason}")]
    Unusable {
        /// As the service names it.
        code: &'static str,
        /// In words.
        reason: &'static str,
    },
    /// More versions than anybody can have meant.
    #[error("azure: TooManyObjectVersions: the secret has more than {0} versions")]
    TooManyVersions(usize),
    /// A page of a list leads to itself.
    #[error("azure: the list does not end")]
    EndlessList,
    /// A link of the service leads somewhere else.
    #[error("azure: the vault refers to '{0}', which is not the vault")]
    Elsewhere(String),
    /// A new version is not among the versions.
    #[error("azure: the new secret is not listed: it is not known who created the key")]
    Unlisted,
    /// What the crates of Azure say for themselves.
    #[error("azure: {0}")]
    Other(String),
}

// === impl AzureError ===

impl AzureError {
    /// What is at the bottom of an error of the Azure crates.
    pub(super) fn of(error: &azure_core::Error) -> Self {
        if let Some(ours) = chain(error).find_map(|error| error.downcast_ref::<Self>()) {
            return ours.clone();
        }
        let answer = chain(error)
            .filter_map(|error| error.downcast_ref::<azure_core::Error>())
            .find_map(|error| match error.kind() {
                ErrorKind::HttpResponse {
                    status,
                    raw_response,
                    ..
                } => Some((u16::from(*status), raw_response.as_deref())),
                _ => None,
            });
        match answer {
            Some((status, answer)) => {
                Self::refused(status, answer.map_or(&[], |answer| answer.body()), &[])
            }
            // The text of such an error may quote the answer.
            None if is_conversion(error) => Self::Malformed("Azure"),
            None => Self::Other(presentable(&error.to_string(), &[])),
        }
    }

    /// The error that an answer of the vault stands for. What it repeats of `secrets` is
    /// left out.
    pub(super) fn refused(status: u16, body: &[u8], secrets: &[&str]) -> Self {
        let error = azure_core::json::from_json::<_, KeyVaultError>(body).ok();
        let Some(error) = error.and_then(|document| document.error) else {
            return Self::Refused {
                status,
                code: String::new(),
                message: presentable(&String::from_utf8_lossy(body), secrets),
            };
        };
        let inner = iter::successors(error.inner_error.as_deref(), |error| {
            error.inner_error.as_deref()
        });
        let code = inner
            .filter_map(|error| error.code.as_deref())
            .last()
            .or(error.code.as_deref());
        Self::Refused {
            status,
            code: presentable(code.unwrap_or_default(), secrets),
            message: presentable(&error.message.unwrap_or_default(), secrets),
        }
    }

    /// The error that an answer of a token service stands for.
    pub(super) fn no_token(status: u16, body: &[u8], secrets: &[&str]) -> Self {
        let document: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let text = document.as_ref().and_then(|document| {
            ["error_description", "message", "error"]
                .iter()
                .find_map(|key| document.get(key)?.as_str())
        });
        let body = String::from_utf8_lossy(body);
        let message = presentable(text.unwrap_or(&body), secrets);
        Self::NoToken { status, message }
    }

    /// Whether the vault knows no such secret. A 404 of a proxy, or of a vault that is
    /// gone, must not pass for a missing key: clients would create the key anew.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, code, .. }
            if !code.is_empty() && !code.contains("Vault"))
    }

    /// Whether a secret of this name is between existing and not existing.
    pub(super) fn is_deleted(&self) -> bool {
        self.is_conflict("ObjectIsDeletedButRecoverable") || self.is_being_deleted()
    }

    /// Whether a secret of this name is on its way there.
    pub(super) fn is_being_deleted(&self) -> bool {
        self.is_conflict("ObjectIsBeingDeleted")
    }

    /// Whether a request may have been carried out although there is no success.
    pub(super) fn is_uncertain(&self) -> bool {
        match self {
            Self::Connection(cause) => cause.is_passing(),
            Self::Refused { status, .. } => *status >= 500,
            _ => false,
        }
    }

    fn is_conflict(&self, wanted: &str) -> bool {
        matches!(self, Self::Refused { status: 409, code, .. } if code == wanted)
    }

    fn is_unreachable(&self) -> bool {
        match self {
            Self::Connection(_) => true,
            Self::Deadline { last, .. } => last.as_ref().is_none_or(|last| last.is_unreachable()),
            Self::Login(cause) => cause.is_unreachable(),
            _ => false,
        }
    }

    fn is_denied(&self) -> bool {
        match self {
            Self::Refused { status, code, .. } => {
                matches!(status, 401 | 403) && !code.ends_with("Disabled")
            }
            Self::NoToken { status, .. } => matches!(status, 400 | 401 | 403),
            Self::Login(cause) => cause.is_denied(),
            _ => false,
        }
    }
}

impl From<AzureError> for Error {
    fn from(error: AzureError) -> Self {
        match error {
            error if error.is_not_found() => Self::KeyNotFound,
            error if error.is_unreachable() => Self::unreachable(error),
            error if error.is_denied() => Self::denied(error),
            error => Self::failed(error),
        }
    }
}

impl From<AzureError> for azure_core::Error {
    fn from(error: AzureError) -> Self {
        // None of the kinds that the crates try again on their own.
        Self::new(ErrorKind::Other, error)
    }
}

/// An error and its causes.
fn chain<'e>(error: &'e azure_core::Error) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    let first: &'e (dyn StdError + 'static) = error;
    iter::successors(Some(first), |&error| error.source())
}

fn is_conversion(error: &azure_core::Error) -> bool {
    chain(error)
        .filter_map(|error| error.downcast_ref::<azure_core::Error>())
        .any(|error| matches!(error.kind(), ErrorKind::DataConversion))
}

/// The text of an error within another one.
fn reason(error: &AzureError) -> String {
    let text = error.to_string();
    text.strip_prefix("azure: ").unwrap_or(&text).to_owned()
}

/// What to do about a code.
fn advice(code: &str) -> &'static str {
    match code {
        "ForbiddenByRbac" | "ForbiddenByPolicy" => {
            " (give the identity of the server get, list, set, delete and purge on secrets)"
        }
        "ForbiddenByFirewall" | "ForbiddenByConnection" => {
            " (let the server's address through the firewall of the vault)"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_code_counts() {
        let body = br#"{"error":{"code":"Conflict","message":"a\r\nb",
            "innererror":{"code":"ObjectIsBeingDeleted"}}}"#;
        let error = AzureError::refused(409, body, &[]);
        assert!(error.is_being_deleted() && error.is_deleted());
        assert_eq!(error.to_string(), "azure: 409 ObjectIsBeingDeleted: a b");
    }

    #[test]
    fn only_a_secret_is_not_found() {
        let secret = br#"{"error":{"code":"SecretNotFound","message":"m"}}"#;
        assert!(AzureError::refused(404, secret, &[]).is_not_found());
        for body in [
            &b""[..],
            b"<html>Not Found</html>",
            b"{}",
            br#"{"error":{"code":"VaultNotFound","message":"m"}}"#,
        ] {
            assert!(!AzureError::refused(404, body, &[]).is_not_found());
        }
        assert!(!AzureError::refused(400, secret, &[]).is_not_found());
    }

    #[test]
    fn rights_and_logins_are_denials() {
        let rbac = br#"{"error":{"code":"Forbidden","message":"no",
            "innererror":{"code":"ForbiddenByRbac"}}}"#;
        let disabled = br#"{"error":{"code":"Forbidden","message":"no",
            "innererror":{"code":"SecretDisabled"}}}"#;
        let invalid =
            br#"{"error":"invalid_client","error_description":"AADSTS7000215: s3cret\r\nTrace"}"#;
        let login = AzureError::Login(Box::new(AzureError::no_token(401, invalid, &["s3cret"])));
        assert_eq!(
            login.to_string(),
            "azure: login failed: 401: AADSTS7000215: *** Trace"
        );
        assert!(matches!(login.into(), Error::Denied(_)));
        assert!(matches!(
            AzureError::refused(403, rbac, &[]).into(),
            Error::Denied(_)
        ));
        assert!(matches!(
            AzureError::refused(403, disabled, &[]).into(),
            Error::Failed(_)
        ));
    }
}
