//! The replicated, sealed state of a MinIO KMS server.
//!
//! The middle is a pure state machine. A [`State`] holds enclaves with their keys,
//! policies and identities; an [`Operation`] is one change, with key bytes, times and
//! creators decided by whoever proposes it; [`apply_batch`] turns one state into the
//! next and says which records of which [`Table`] changed. It does no I/O, holds no
//! clock and draws no randomness, so every replica ends with the same state, which
//! [`State::digest`] shows.
//!
//! A state is cheap to clone and never changes: readers work on one snapshot while the
//! next is being made. [`State::load`] rebuilds it from its records, and the `backup`
//! functions write and read the file that moves it between clusters (MinIO KMS
//! protocol, section 0.4).
//!
//! Around it is a node. A [`Store`] opens a directory, seals what is in it under a root
//! key that HSMs hold, and takes every change through a log that is on the disk before
//! anybody is told. The consensus engine and the database files have no names outside
//! of this crate.

mod apply;
pub mod backup;
mod digest;
mod disk;
mod error;
mod log;
mod model;
mod node;
mod operation;
mod raft;
mod seal;
mod table;
mod tables;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use apply::{Applied, apply, apply_batch};
pub use digest::Digest;
pub use error::Error;
pub use model::{
    Created, Enclave, IdentityEntry, KeyEntry, MAX_PAGE, PolicyEntry, Rights, State,
    rules_from_message, rules_to_message,
};
pub use node::{HsmError, OpenError, Opened, Options, ProposeError, Role, Status, Stopped, Store};
pub use operation::{Batch, Caller, NewIdentity, Operation, OperationId, Outcome, Versions};
pub use raft::{Call, Network, NetworkError, Peer};
pub use table::{Change, Record, Table};
