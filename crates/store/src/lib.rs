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

mod apply;
pub mod backup;
mod digest;
mod error;
mod model;
mod operation;
mod table;
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
pub use operation::{Batch, Caller, NewIdentity, Operation, OperationId, Outcome, Versions};
pub use table::{Change, Record, Table};
