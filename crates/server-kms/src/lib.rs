//! The API server of MinIO KMS as a library.
//!
//! A [`Server`] answers from one immutable snapshot of the replicated state: whatever
//! reads (encryption and decryption above all) takes no lock, waits for nobody and
//! touches no disk. Only changes of the state go to the store, which answers when they
//! are durable.
//!
//! A request to `/v1/kms` is a row of commands that succeeds or fails as a whole. It
//! passes the checks in one order (MinIO KMS protocol, decision D20): path and method,
//! caller, body, scope of the commands, their arguments, the policy for every one of
//! them; only then the first command is executed. The commands are grouped as the
//! protocol groups them: cluster, enclave, key, policy, identity; beside them stand
//! health, backup, the live log, profiles and restart.

mod answer;
mod batch;
mod body;
mod call;
mod caller;
mod change;
mod check;
mod cluster;
mod db;
mod debug;
mod decide;
mod dispatch;
mod error;
mod failure;
mod health;
mod identity;
mod key;
mod log;
mod read;
mod record;
mod route;
mod server;
mod settings;
mod version;

pub use error::Error;
pub use server::Server;
pub use settings::{Restart, Settings, Setup};
