//! Client of KES servers, ours and others.
//!
//! [`Client`] has one method per operation. It keeps connections open, prefers
//! HTTP/2, repeats requests that found no server, and with several endpoints
//! balances the load and goes past servers that do not answer or have lost their
//! key store (KES protocol, section 9).
//!
//! [`endpoints_from_env`] and [`Credentials::from_env`] read the variables that
//! command lines and applications set (KES command line, section 1.5).

mod balance;
mod client;
mod credentials;
mod endpoint;
mod error;
mod log_stream;
mod operations;
mod retry;
#[cfg(test)]
mod tests;
mod transport;

pub use client::Client;
pub use credentials::{CredentialError, Credentials};
pub use endpoint::{endpoints, endpoints_from_env};
pub use error::Error;
pub use log_stream::LogStream;
