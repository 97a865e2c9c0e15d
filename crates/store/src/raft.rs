//! The consensus engine, behind types of our own.
//!
//! Nothing outside this folder and the log names the engine. An entry of the log is
//! a [`Batch`] of operations; the answer to it is what became of each. Node ids are
//! given by the cluster and never used twice; node 0 is the first.

pub(crate) mod codec;
mod inbound;
mod machine;
mod network;
mod pieces;
mod rpc;
mod snapshot;
#[cfg(test)]
mod tests;

use std::fmt;

use openraft::{Raft, StorageError, StorageIOError};

use crate::{Batch, Outcome, disk};

pub(crate) use inbound::Inbound;
pub(crate) use machine::Machine;
pub(crate) use network::{Alone, Peers};
pub use network::{Call, Network, NetworkError};
pub(crate) use snapshot::SnapshotData;

/// The number of a node.
pub(crate) type NodeId = u64;

pub(crate) type Entry = openraft::Entry<Types>;
pub(crate) type Engine = Raft<Types>;
pub(crate) type LogId = openraft::LogId<NodeId>;
pub(crate) type Membership = openraft::StoredMembership<NodeId, Peer>;
pub(crate) type Failure = StorageError<NodeId>;

openraft::declare_raft_types!(
    /// The types that the engine works with.
    pub(crate) Types:
        D = Batch,
        R = Answers,
        NodeId = NodeId,
        Node = Peer,
        SnapshotData = SnapshotData,
);

/// A member of the cluster, as all members know it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// `host:port` under which the others reach it.
    pub host: String,
}

/// What became of the operations of one entry, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers(pub(crate) Vec<Outcome>);

// === impl Peer ===

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)
    }
}

/// What the engine is told when a file fails: any storage error ends the node.
pub(crate) fn read_failure(error: &disk::Error) -> Failure {
    StorageIOError::read(error).into()
}

pub(crate) fn write_failure(error: &disk::Error) -> Failure {
    StorageIOError::write(error).into()
}
