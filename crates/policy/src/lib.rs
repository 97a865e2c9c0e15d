//! Who may call what: path patterns, rule sets, and decisions with their reason.
//!
//! A KES server knows one admin identity, which may do everything, and a list of
//! policies. A policy has patterns of request paths to allow and to deny; an
//! identity belongs to at most one policy. A deny rule always wins, and what no
//! rule allows is refused (KES protocol, section 4).
//!
//! A policy of MinIO KMS maps commands to patterns of names: [`rules`].
//!
//! [`PolicySet::decide`] answers one request without allocating and says why, so
//! that the server can write the reason to its log: on the wire every refusal has
//! the same text.

mod decision;
mod error;
mod pattern;
mod policy;
pub mod rules;
mod set;
mod spellings;
#[cfg(test)]
mod tests;

pub use decision::{Decision, Reason};
pub use error::Error;
pub use pattern::Pattern;
pub use policy::Policy;
pub use set::PolicySet;
pub use spellings::{Spellings, spellings};
