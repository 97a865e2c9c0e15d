/// What this crate cannot read back: operations of the log and records of the state.
///
/// Neither holds anything of their content.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operation with a number that means nothing to this release.
    #[error(
        "unknown operation {number}: a newer release wrote it; update this node to the release of the others"
    )]
    UnknownOperation {
        /// The number.
        number: u32,
    },
    /// Bytes that are no operation or no record.
    #[error("malformed {what}")]
    Malformed {
        /// What they should have been.
        what: &'static str,
    },
    /// A record that contradicts another one, or that lacks the one it belongs to.
    #[error("inconsistent state: {what}")]
    Inconsistent {
        /// What is wrong.
        what: &'static str,
    },
    /// The records are not those that were written: some are missing, old or foreign.
    #[error("the records of the state do not have the digest that was recorded with them")]
    Digest,
}

// === impl Error ===

impl Error {
    pub(crate) const fn malformed(what: &'static str) -> Self {
        Self::Malformed { what }
    }

    pub(crate) const fn inconsistent(what: &'static str) -> Self {
        Self::Inconsistent { what }
    }
}
