//! The API over real TLS connections on the loopback interface.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod access;
mod failures;
mod keys;
mod listings;
mod logs;
mod paths;
mod policies;
mod proxy;
mod reload;
mod status;
mod stores;
mod support;
