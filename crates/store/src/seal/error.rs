use std::io;
use std::path::PathBuf;

use keystead_wire_kms::ApiError;

/// What can go wrong between a node, its `seal.json` and its HSMs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HsmError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The content of `seal.json` is not what was written.
    #[error("seal.json is damaged: {0}; put back the copy of it that belongs to this directory")]
    Damaged(String),
    /// A later release wrote `seal.json`.
    #[error(
        "seal.json has format {version}, this release reads up to {known}; start the release that \
         wrote it, or a newer one"
    )]
    Newer {
        /// The format of the file.
        version: u64,
        /// The newest that this release reads.
        known: u64,
    },
    /// No HSM is configured.
    #[error(
        "kms: no HSM provided; set MINIO_KMS_HSM_KEY or configure an HSM that has sealed this node"
    )]
    NoHsm,
    /// None of the configured HSMs opens the root key.
    #[error(transparent)]
    Locked(#[from] keystead_hsm::OpenError),
    /// An HSM failed to seal.
    #[error("{hsm} cannot seal the root key, nothing was changed")]
    Hsm {
        /// The name of the HSM.
        hsm: String,
        /// What it said.
        source: keystead_hsm::Error,
    },
    /// An HSM holds an entry but is not configured, so that it cannot seal a new root key.
    #[error(
        "{hsm} holds the root key but is not configured; configure it, or remove its entry with \
         `minkms rm-hsm {hsm}`"
    )]
    NotConfigured {
        /// The name of the HSM.
        hsm: String,
    },
    /// Records are still being moved to the root key of the last rotation.
    #[error("the last rotation is still moving records to its root key; try again later")]
    Rotating,
    /// A key cannot be made.
    #[error("cannot make a root key")]
    RootKey(#[source] keystead_hsm::Error),
    /// Randomness or encryption failed.
    #[error("cannot make or seal keys")]
    Crypto(#[from] keystead_crypto::Error),
    /// The client's fault, with the protocol's text.
    #[error(transparent)]
    Api(#[from] ApiError),
}
