/// What a database file cannot do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The operating system or the database engine refused.
    #[error(
        "{file}: {source}; check the disk and the space on it, then start the node again: what it \
         confirmed is there"
    )]
    Database {
        file: &'static str,
        source: Box<redb::Error>,
    },
    /// The content is not what was written.
    #[error(
        "{file} is damaged: {what}; restore the directory or a backup, nothing of it was served"
    )]
    Damaged { file: &'static str, what: String },
    /// The store was closed.
    #[error("{file} is closed")]
    Closed { file: &'static str },
    /// A later release wrote it.
    #[error(
        "{file} has format {format}, this release reads up to {known}; start the release that \
         wrote it, or a newer one"
    )]
    Newer {
        file: &'static str,
        format: u64,
        known: u64,
    },
    /// Randomness or encryption failed.
    #[error("{file}: cannot seal a record: {source}")]
    Seal {
        file: &'static str,
        source: keystead_crypto::Error,
    },
}

// === impl Error ===

impl Error {
    pub(crate) fn new(file: &'static str, source: impl Into<redb::Error>) -> Self {
        match source.into() {
            redb::Error::Corrupted(what) => Self::Damaged { file, what },
            source => Self::Database {
                file,
                source: Box::new(source),
            },
        }
    }

    pub(crate) fn closed(file: &'static str) -> Self {
        Self::Closed { file }
    }

    pub(crate) fn damaged(file: &'static str, what: impl Into<String>) -> Self {
        Self::Damaged {
            file,
            what: what.into(),
        }
    }
}
