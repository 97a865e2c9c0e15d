use std::io;

/// Why a backup was not written or not read. The texts are for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is something else.
    #[error("not a backup of minkms, plain or inside gzip: it does not start with KSTDBAK1")]
    NotBackup,
    /// The header cannot be read.
    #[error("the header of the backup is damaged: {0}")]
    Header(&'static str),
    /// A format that only a newer release knows.
    #[error(
        "the backup has format version {0}, this release reads version 1: restore it with a newer release"
    )]
    Version(u64),
    /// The stream does not open, or ends too early.
    #[error(
        "the backup is damaged or cut, or its root key is not the one that its HSM entry holds"
    )]
    Damaged,
    /// The content is authentic but makes no state.
    #[error("the content of the backup cannot be used")]
    Content(#[source] crate::Error),
    /// Without an entry nothing could ever open the backup.
    #[error("no HSM holds an entry of the current root key: add one with `minkms add-hsm`")]
    NoEntry,
    /// No randomness, or a key that cannot be used.
    #[error("the backup cannot be sealed or opened")]
    Crypto(#[from] keystead_crypto::Error),
    /// The source or destination failed.
    #[error("the backup cannot be transferred")]
    Io(#[source] io::Error),
}

// === impl Error ===

/// What the decoders below say of damaged data is told from other failures by its kind.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::UnexpectedEof => Self::Damaged,
            _ => Self::Io(error),
        }
    }
}
