//! Doubles of remote key stores, and real ones to start.
//!
//! A double is a small server that behaves as the documents about a key store say,
//! and can be told to misbehave: [`Faults`] has the switches that all doubles share,
//! [`Journal`] keeps what they were asked. They are made from the documents alone,
//! never from our clients, so that a misunderstanding shows.

mod answer;
mod authority;
mod aws;
mod azure;
mod body;
mod ciphertrust;
mod faults;
mod fortanix;
mod gcp;
mod journal;
mod keycontrol;
mod moto;
mod openbao;
mod peer;
mod server;
mod vault;

pub use authority::{Authority, Tls};
pub use aws::{Aws, AwsCredentialService, AwsKeys, AwsSettings};
pub use azure::{Azure, AzureSettings, AzureVersion};
pub use ciphertrust::{CipherTrust, CipherTrustSettings};
pub use faults::{Fault, Faults};
pub use fortanix::{Fortanix, FortanixSettings};
pub use gcp::{Gcp, GcpAccount, GcpSettings};
pub use journal::Journal;
pub use keycontrol::{Checkout, KeyControl, KeyControlRole, KeyControlSettings, Refusal};
pub use moto::Moto;
pub use openbao::{OpenBao, Role};
pub use server::Server;
pub use vault::{Vault, VaultSettings};
