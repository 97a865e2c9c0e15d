//! Who somebody is: API keys, identities and the certificates that carry them.
//!
//! An [`Identity`] is a hash of a public key. Whoever proves possession of the
//! private key in a TLS handshake has the identity, whatever else stands in the
//! certificate. An [`ApiKey`] is an Ed25519 private key as one line of text; a
//! client makes its certificate from it at start-up.
//!
//! MinIO KMS has texts of its own for the same things: [`KmsIdentity`] and
//! [`KmsApiKey`], whose key may also be of an elliptic curve.
//!
//! Everything works on bytes in memory; reading files and the clock is up to
//! the caller.

mod api_key;
mod certificate;
mod error;
mod identity;
mod kms_api_key;
mod kms_credential;
mod kms_identity;
mod pem_file;
#[cfg(test)]
mod tests;

pub use api_key::ApiKey;
pub use certificate::{CertificateTemplate, is_ca};
pub use error::Error;
pub use identity::Identity;
pub use kms_api_key::KmsApiKey;
pub use kms_credential::KmsCredential;
pub use kms_identity::KmsIdentity;
pub use pem_file::{Credential, certificate_to_pem, certificates_from_pem};
