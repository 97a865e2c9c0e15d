use std::error::Error as _;

use keystead_keystore::Error;

/// Why a key is not on the target.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the source: {}", reason(.0))]
    Source(Error),
    #[error("the target: {}", reason(.0))]
    Target(Error),
    /// Only `--force` meets it.
    #[error(
        "the target has a key and the source a value that is none: \
         delete the key on the target if that is meant"
    )]
    NotAKey,
    /// Only a target that takes nothing but keys meets it.
    #[error("the source's value is no key, and MinIO KMS takes nothing else: {0}")]
    Unusable(keystead_crypto::Error),
    #[error("the target refused the new value and has the old one again: {}", reason(.0))]
    PutBack(Error),
    #[error(
        "it was deleted on the target to be replaced, and could not be created: {}; \
         the target does not have it until the migration is run again",
        reason(.0)
    )]
    Deleted(Error),
}

// === impl Failure ===

impl Failure {
    /// Whether other keys would fail in the same way.
    pub(super) fn is_outage(&self) -> bool {
        match self {
            Self::Source(error) | Self::Target(error) | Self::Deleted(error) => {
                matches!(error, Error::Unreachable(_))
            }
            Self::NotAKey | Self::Unusable(_) | Self::PutBack(_) => false,
        }
    }
}

/// An error with its causes, for the operator.
pub(super) fn reason(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        // Some errors have the words of their causes in their own.
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}
