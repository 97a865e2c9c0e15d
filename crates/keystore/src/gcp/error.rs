//! What became of a request, in words for the operator.

use std::error::Error as StdError;
use std::iter;

use google_cloud_auth::errors::CredentialsError;
use google_cloud_gax::error::rpc::Code;
use google_cloud_secretmanager_v1::Error as ClientError;
use keystead_rest::{Error as RestError, StatusCode, presentable};

use crate::Error;

/// A request that failed.
#[derive(Debug, thiserror::Error)]
#[error("gcp: {action}: {reason}")]
pub(super) struct Failure {
    action: &'static str,
    kind: Kind,
    reason: String,
}

/// What a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Exists,
    NotFound,
    Denied,
    /// It was not sent.
    Unreachable,
    /// It was sent, and no complete answer came.
    Lost,
    /// An answer that leaves open what has happened.
    Unclear,
    Refused,
}

// === impl Failure ===

impl Failure {
    pub(super) fn new(action: &'static str, error: &ClientError) -> Self {
        let (kind, reason) = if let Some(status) = error.status() {
            let advice = advice(status.code);
            let reason = format!("{}: {}{advice}", status.code, status.message);
            (kind(status.code), reason)
        } else if let Some(code) = error.http_status_code() {
            not_google(code)
        } else if let Some(error) = cause::<CredentialsError>(error) {
            let kind = if error.is_transient() {
                Kind::Unreachable
            } else {
                Kind::Denied
            };
            (kind, format!("cannot log in: {}", explain(error)))
        } else if let Some(error) = cause::<RestError>(error) {
            let kind = match error {
                RestError::Connection { cause, .. } if cause.is_connect() => Kind::Unreachable,
                RestError::TooLong { .. } => Kind::Unclear,
                _ => Kind::Lost,
            };
            (kind, error.to_string())
        } else {
            (Kind::Unclear, presentable(&error.to_string(), &[]))
        };
        Self {
            action,
            kind,
            reason,
        }
    }

    /// The same with more to know about it.
    pub(super) fn with(mut self, more: &str) -> Self {
        self.reason.push_str("; ");
        self.reason.push_str(more);
        self
    }

    pub(super) fn says_exists(&self) -> bool {
        self.kind == Kind::Exists
    }

    pub(super) fn says_not_found(&self) -> bool {
        self.kind == Kind::NotFound
    }

    /// Whether the request may have been carried out all the same.
    pub(super) fn is_ambiguous(&self) -> bool {
        matches!(self.kind, Kind::Lost | Kind::Unclear)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure.kind {
            Kind::NotFound => Self::KeyNotFound,
            Kind::Denied => Self::denied(failure),
            Kind::Unreachable | Kind::Lost => Self::unreachable(failure),
            Kind::Exists | Kind::Unclear | Kind::Refused => Self::failed(failure),
        }
    }
}

fn kind(code: Code) -> Kind {
    match code {
        Code::AlreadyExists => Kind::Exists,
        Code::NotFound => Kind::NotFound,
        Code::PermissionDenied | Code::Unauthenticated => Kind::Denied,
        Code::InvalidArgument
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::ResourceExhausted
        | Code::Unimplemented => Kind::Refused,
        _ => Kind::Unclear,
    }
}

fn advice(code: Code) -> &'static str {
    match code {
        Code::PermissionDenied => {
            " (give the server's account the permission on the project, not on single secrets)"
        }
        Code::Unauthenticated => {
            " (look whether the service account and its key still exist and are enabled, whether \
             all four credentials belong to one key, and whether the clock of this machine is \
             right)"
        }
        Code::ResourceExhausted => " (a quota of the project is used up)",
        Code::FailedPrecondition => {
            " (the key is version 1: if it is disabled, enable it; once destroyed it is lost)"
        }
        _ => "",
    }
}

/// An answer that the API itself does not give.
fn not_google(code: u16) -> (Kind, String) {
    let status = StatusCode::from_u16(code).unwrap_or_default();
    let reason = format!(
        "{status}: not an answer of Secret Manager (look at 'endpoint', and at proxies on the way)"
    );
    let kind = if status.is_client_error() {
        Kind::Refused
    } else {
        Kind::Unclear
    };
    (kind, reason)
}

/// Why there is no token: the message, the error of the token endpoint, the innermost
/// cause.
///
/// The library quotes the whole answer of a token endpoint, which may repeat what it was
/// sent, and predicts the future, which [`super::login::Login`] changes.
pub(super) fn explain(error: &CredentialsError) -> String {
    let text = error.to_string();
    let text = [
        " but future attempts may succeed",
        " and future attempts will not succeed",
    ]
    .iter()
    .fold(text.as_str(), |text, end| text.trim_end_matches(end));
    let (text, body) = text.split_once(", body=<").unwrap_or((text, ""));
    let mut explained = presentable(text, &[]);
    let body: serde_json::Value =
        serde_json::from_str(body.trim_end_matches('>')).unwrap_or_default();
    let root = iter::successors(error.source(), |&cause| cause.source()).last();
    let details = ["error", "error_description"]
        .into_iter()
        .filter_map(|name| body.get(name)?.as_str().map(str::to_owned))
        .chain(root.map(ToString::to_string));
    for detail in details {
        explained.push_str(": ");
        explained.push_str(&presentable(&detail, &[]));
    }
    explained
}

fn cause<E: StdError + 'static>(error: &ClientError) -> Option<&E> {
    error.source()?.downcast_ref()
}
