//! HashiCorp Vault and OpenBao: login, K/V and transit.
//!
//! A [`Client`] is logged in for as long as it lives. One task renews its token and
//! logs in again when that does not help; what has to be done when is decided by a
//! state machine without clock or network. Another task watches whether the server
//! is sealed. Requests take the token of the moment, and if the server does not
//! accept it, wait for one login and try again.
//!
//! [`Kv`] and [`Transit`] are engines of the server. They know nothing of keys: what
//! is kept in them is up to whoever uses them.
//!
//! The environment variables `VAULT_*` and `BAO_*` are ignored: what counts is in
//! the configuration.

mod api;
mod client;
mod error;
mod health;
mod keeper;
mod kv;
mod lifecycle;
mod login;
mod reply;
mod transit;

pub use client::Client;
pub use error::{Error, Reason, Version};
pub use kv::{Creation, Kv};
pub use transit::Transit;
