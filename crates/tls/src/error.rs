use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A failure to set up TLS.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("open {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: Arc<io::Error>,
    },
    /// A file is not what it has to be.
    #[error("'{}': {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The private key is encrypted and there is no password.
    #[error("private key is encrypted: password required")]
    PasswordRequired,
    /// The private key does not open with this password.
    #[error("incorrect password")]
    IncorrectPassword,
    /// The private key is encrypted in a way nobody here knows; holds the `DEK-Info` header.
    #[error("private key is encrypted: unknown cipher '{0}'")]
    UnknownKeyEncryption(String),
    /// The password could not be asked for.
    #[error("reading password: {0}")]
    Prompt(Arc<io::Error>),
    /// The private key does not belong to the certificate.
    #[error("private key does not match the certificate")]
    KeyMismatch,
    /// The server certificate names neither a host nor an address.
    #[error("certificate does not contain any DNS or IP address as SAN")]
    NoSubjectAltName,
    /// There is nobody to believe: no file of authorities, and the system has none.
    #[error("no certificate authorities found")]
    NoAuthorities,
    /// A certificate or key file could not be made.
    #[error("failed to create a certificate or key: {0}")]
    Encode(String),
    /// There is no randomness.
    #[error(transparent)]
    Crypto(#[from] keystead_crypto::Error),
    /// The TLS library refused certificate or key.
    #[error("tls: {0}")]
    Tls(#[from] rustls::Error),
    /// Files cannot be watched for changes.
    #[error("failed to watch files: {0}")]
    Watch(Arc<notify::Error>),
}

// === impl Error ===

impl Error {
    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read {
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }

    pub(crate) fn invalid(path: &Path, reason: impl Into<String>) -> Self {
        Self::Invalid {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}

impl From<notify::Error> for Error {
    fn from(error: notify::Error) -> Self {
        Self::Watch(Arc::new(error))
    }
}
