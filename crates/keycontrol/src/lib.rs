//! Client of an Entrust KeyControl PASM vault ("secrets vault").
//!
//! A [`Client`] works on the secrets of one box. It logs in once; from then on a
//! background task keeps its token alive, by renewal at half of its life and by
//! logging in again, for ever if need be. A call whose token the appliance no
//! longer knows waits for the next login and is repeated once. Several endpoints
//! of one cluster stand in for each other.
//!
//! The API is not published as a whole; what is known of it and which parts are
//! inferred is in `docs/keystores/keycontrol.md`.

mod action;
mod api;
mod client;
mod error;
mod session;

pub use action::Action;
pub use client::Client;
pub use error::Error;

pub use keystead_rest::Limits;
