use std::io;
use std::path::PathBuf;

use keystead_wire_kms::ApiError;

use crate::node::Stopped;
use crate::{disk, seal::HsmError};

/// Why a store cannot be opened: what failed and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory or the lock in it cannot be used.
    #[error("cannot use {} as data directory: {source}", path.display())]
    Directory {
        /// What it is about.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Another process works on the directory.
    #[error(
        "{} is in use by another process{holder}; stop it first, or start this one with a \
         directory of its own", path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// ` (process 4711)`, or nothing.
        holder: String,
    },
    /// A file that must be there is missing.
    #[error(
        "{} is missing, but {witness} is there; put back the directory as a whole, or start with \
         an empty one and restore a backup", path.display()
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// What shows that it existed.
        witness: &'static str,
    },
    /// The seal does not open or cannot be made.
    #[error(transparent)]
    Seal(#[from] HsmError),
    /// A database does not open.
    #[error("cannot open the data: {0}")]
    Data(String),
    /// The two databases do not belong to the same moment.
    #[error(
        "state.redb goes up to entry {state}, but log.redb has {log}; they are not of the same \
         moment: put back the directory as a whole, or restore a backup"
    )]
    Mismatch {
        /// The last entry of the state.
        state: String,
        /// The entries of the log.
        log: String,
    },
    /// The host is not the one under which the others know this node.
    #[error(
        "server not part of cluster: this node was added as '{known}', not as '{host}'; start it \
         with `--host {known}`"
    )]
    Host {
        /// The host of the options.
        host: String,
        /// The host that the cluster knows.
        known: String,
    },
    /// The engine did not come up.
    #[error("the node did not come up: {0}")]
    Engine(String),
}

/// Why a change was not confirmed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProposeError {
    /// The state forbids it; nothing changed. The error for the client.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// There is no leader now. The change may happen nevertheless, if it was proposed
    /// before the leader was lost.
    #[error("the change could not be confirmed: {reason}")]
    Unavailable {
        /// What is missing.
        reason: String,
    },
    /// The node stopped by itself. The change may have happened.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl From<disk::Error> for OpenError {
    fn from(error: disk::Error) -> Self {
        Self::Data(error.to_string())
    }
}
