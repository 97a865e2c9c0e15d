//! Where keys are kept, and the cache in front of it.
//!
//! [`KeyStore`] is what every back end offers; the `contract` module, behind the
//! feature of that name, is the suite each of them passes. [`Cache`] holds parsed
//! keys so that most requests need no key store at all, and keeps a server useful
//! while the store is away. [`grant`] says in a store's own words which right an
//! operation needs.

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "azure")]
mod azure;
mod cache;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod error;
mod file;
#[cfg(feature = "fortanix")]
mod fortanix;
#[cfg(feature = "gcp")]
mod gcp;
mod grant;
mod key_store;
#[cfg(feature = "keycontrol")]
mod keycontrol;
mod keys;
#[cfg(feature = "keysecure")]
mod keysecure;
mod memory;
mod open;
#[cfg(feature = "remote")]
mod remote;
#[cfg(feature = "vault")]
mod vault;

#[cfg(feature = "aws")]
pub use aws::AwsStore;
#[cfg(feature = "azure")]
pub use azure::AzureKeyVaultStore;
pub use cache::{Cache, CacheSettings};
pub use error::{Cause, Error};
pub use file::FileStore;
#[cfg(feature = "fortanix")]
pub use fortanix::FortanixStore;
#[cfg(feature = "gcp")]
pub use gcp::GcpStore;
pub use grant::{Grant, Operation, Use, grant};
pub use key_store::KeyStore;
#[cfg(feature = "keycontrol")]
pub use keycontrol::KeyControlStore;
pub use keys::{all_names, create_key, read_key};
#[cfg(feature = "keysecure")]
pub use keysecure::KeySecureStore;
pub use memory::MemoryStore;
pub use open::open;
#[cfg(feature = "vault")]
pub use vault::VaultStore;
