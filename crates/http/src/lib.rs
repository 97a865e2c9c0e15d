//! The rim of a server: sockets, TLS handshakes, HTTP/1.1 and HTTP/2, limits and
//! time-outs, and the table that leads a path to its route.
//!
//! A [`Listener`] is bound first and serves later, so that a busy port is an error
//! at start. Each connection takes the TLS set-up in force at that moment, proves
//! its identity once, and then hands every request to one [`Handler`]. Nothing in
//! here knows an API: routes, authorisation and texts belong to the crates above.

mod activity;
mod answer;
mod body;
mod connection;
mod error;
mod handler;
mod limits;
mod listener;
mod read;
mod router;
mod session;
#[cfg(test)]
mod tests;

pub use answer::{bad_request, not_found, redirect};
pub use body::Body;
pub use connection::Connection;
pub use error::{BoxError, HttpError};
pub use handler::Handler;
pub use limits::Limits;
pub use listener::Listener;
pub use read::{BodyError, read_body};
pub use router::{Found, Match, Router};
