//! What seals the root encryption key of MinIO KMS.
//!
//! A server keeps its state under a root encryption key, [`RootKey`], of which only
//! sealed copies are on disk: a [`SealedEntry`] per [`Hsm`]. At start any one of them
//! is opened ([`open_any`]), and from then on the key is in memory only (MinIO KMS
//! protocol, section 0.1).
//!
//! An HSM has to seal and to unseal 56 bytes, nothing else. [`SoftHsm`] does it with a
//! key that the operator keeps, [`HsmKey`].

mod cluster_id;
mod entry;
mod error;
mod hsm;
mod key;
mod key_source;
mod open;
mod root_key;
mod soft;
#[cfg(test)]
mod tests;

pub use cluster_id::ClusterId;
pub use entry::SealedEntry;
pub use error::Error;
pub use hsm::Hsm;
pub use key::HsmKey;
pub use key_source::{FoundKey, KeySource, KeyWarning};
pub use open::{OpenError, Opened, open_any};
pub use root_key::{RootKey, RootKeyId, Use};
pub use soft::SoftHsm;
