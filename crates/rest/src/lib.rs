//! HTTP to remote key stores: what their clients have in common.
//!
//! [`Transport`] sends one request to whichever of several equal endpoints
//! answers it, over pooled connections and the TLS of this project. Every
//! attempt has a deadline, failures of the network and of the server are tried
//! again by one rule (key stores, section 1.5), and after a failure the next
//! attempt has a connection of its own, so that a dead one is never waited for
//! twice.
//!
//! [`Keeper`] has a token at any time, for key stores that give out such by
//! [`Session`]s.
//!
//! What an answer means is up to the client of the key store.

mod call;
mod endpoint;
mod error;
mod keeper;
mod retry;
mod schedule;
mod text;
mod transport;

pub use call::Call;
pub use endpoint::Endpoint;
pub use error::Error;
pub use keeper::{Grant, Keeper, NoToken, Session, Token, TokenEvent};
pub use schedule::Pace;
pub use text::presentable;
pub use transport::{Answer, Limits, Transport};

pub use reqwest::{Client, Method, RequestBuilder, StatusCode, header};
