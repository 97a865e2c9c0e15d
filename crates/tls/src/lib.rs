//! TLS for both ends of a connection: the only crate that names rustls.
//!
//! A server identifies its callers by the public key of their certificate, not
//! by who signed it. So the usual certificate checks are optional here, while
//! the proof that the peer holds the private key never is. Everything that can
//! change while a server runs (certificate, key, authorities, mode) is read from
//! files into one immutable [`ServerTls`], put into a [`TlsSlot`] and taken from
//! there for every new connection; [`FileWatch`] says when to do that again.
//!
//! Nothing here listens or connects; sockets belong to the HTTP crates.

mod by_name;
mod certificate;
mod client;
mod client_verifier;
mod dev;
mod error;
mod peer;
mod pem_file;
mod provider;
mod proxy;
mod rfc1423;
mod roots;
mod server;
mod server_verifier;
mod signature;
mod slot;
#[cfg(test)]
mod tests;
mod watch;

pub use certificate::{CertificateInfo, ExpiryWarning, certificate_chain, expiry_warnings};
pub use client::{ClientCredential, ClientSettings, Trust, client, is_untrusted};
pub use dev::{self_signed_dev, self_signed_dev_open};
pub use error::Error;
pub use peer::{PeerError, peer_identity, public_key_hash};
pub use pem_file::Pem;
pub use provider::install_default;
pub use proxy::{Forwarded, ProxyError, ProxyRules};
pub use rfc1423::encrypt_private_key;
pub use server::{ClientAuth, KeyPair, ServerSettings, ServerTls, server, server_by_name};
pub use slot::TlsSlot;
pub use watch::FileWatch;

pub use rustls::{ClientConfig, ServerConfig};
