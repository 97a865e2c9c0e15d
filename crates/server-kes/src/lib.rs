//! The API server of KES as a library.
//!
//! A [`Server`] is started with a [`Setup`], which stays, and with [`Settings`],
//! which a reload replaces as a whole: requests work on one immutable state from
//! their first check to their answer, so no request ever sees half of an old and
//! half of a new configuration.
//!
//! Each request passes the checks in the order of the protocol (KES protocol,
//! section 3.1): route, method, identity, policy, name, body. The operations
//! behind them are grouped as the API groups them: keys, policies, identities,
//! logs, status. [`OfflineKeys`] has the operations on keys for when no server runs.

mod answer;
mod authorise;
mod call;
mod caller;
mod dispatch;
mod error;
mod failure;
mod identity;
mod key;
mod keys;
mod log;
mod new_key;
mod offline;
mod policy;
mod record;
mod route;
mod server;
mod settings;
mod state;
mod status;
mod store;
mod tls;

pub use error::Error;
pub use offline::OfflineKeys;
pub use server::Server;
pub use settings::{Build, Settings, Setup};
pub use state::policies;
pub use store::open_store;
pub use tls::server_tls;
