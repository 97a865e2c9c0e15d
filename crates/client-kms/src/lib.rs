//! Client of MinIO KMS servers, ours and others.
//!
//! [`Client`] has one method per cluster command and per endpoint, [`Enclave`] one per
//! command inside an enclave. Requests are built by `wire-kms`; several of the same
//! kind travel in one body. With several servers the client begins anywhere, goes past
//! those that do not answer and leaves them alone for 30 seconds (MinIO KMS protocol,
//! section 9).
//!
//! It differs from the official client in one point. A change of the state is sent to
//! another server only if the first one cannot have received it. Otherwise it may have
//! been carried out, and the caller gets [`Error::UnknownOutcome`] in place of a second
//! execution.

mod answer;
mod client;
mod cluster;
mod database;
mod enclave;
mod endpoint;
mod error;
mod hosts;
mod identities;
mod keys;
mod log_stream;
mod nodes;
mod policies;
mod profile;
#[cfg(test)]
mod tests;
mod transport;

pub use answer::Download;
pub use client::Client;
pub use enclave::Enclave;
pub use endpoint::{endpoints, endpoints_from_env};
pub use error::Error;
pub use log_stream::LogStream;
pub use nodes::HostAnswer;
pub use profile::{Profiles, Threads};
