//! The API over real TLS connections on the loopback interface, in front of a real store.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod access;
mod audit;
mod backup;
mod batches;
mod checks;
mod cluster;
mod commands;
mod crypto;
mod endpoints;
mod frames;
mod identities;
mod listings;
mod logs;
mod policies;
mod secrets;
mod support;
