use std::io;

use crate::KeySource;

/// What can go wrong with HSMs and what they seal.
///
/// No variant holds key material.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not the key of a software HSM.
    #[error("invalid HSM key: {0}")]
    Key(&'static str),
    /// The key of the software HSM, where it was found, is none.
    #[error("invalid HSM key in {from}: {why}")]
    FoundKey {
        /// Where it was found.
        from: KeySource,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The file with the key of the software HSM cannot be read.
    #[error("cannot read the HSM key from {from}")]
    KeyFile {
        /// The file.
        from: KeySource,
        /// What the file system said.
        source: io::Error,
    },
    /// The key of the software HSM is set twice.
    #[error("the HSM key is set twice, by {0} and by {1}: remove one of them")]
    TwoKeys(KeySource, KeySource),
    /// The HSM gave no answer.
    #[error("the HSM does not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The HSM answered that it will not: wrong credentials, no permission, no such key.
    #[error("the HSM refuses")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The HSM opens with its key, and the bytes were not sealed with it or are damaged.
    #[error("sealed by another key, or damaged")]
    NotAuthentic,
    /// The HSM opened bytes that are not a root encryption key.
    #[error("not a root encryption key")]
    NotRootKey,
    /// The HSM opened a root encryption key, but another one than its entry says.
    #[error("another root encryption key than expected")]
    OtherRootKey,
    /// The text is not the identifier of a cluster or of a root encryption key.
    #[error("malformed identifier")]
    Identifier,
    /// A key operation failed.
    #[error(transparent)]
    Crypto(#[from] keystead_crypto::Error),
    /// An API key cannot be made.
    #[error(transparent)]
    Identity(#[from] keystead_identity::Error),
}
