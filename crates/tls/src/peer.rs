//! Who is at the other end of a connection.

use keystead_crypto::sha256;
use keystead_identity::{Identity, is_ca};
use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Why a connection has no identity; the texts are the protocol's (KES protocol, section 1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// The peer sent no certificate.
    #[error("tls: client certificate is required")]
    NoCertificate,
    /// The peer sent further certificates that are not of an authority.
    #[error("tls: received more than one client certificate")]
    TooManyCertificates,
}

/// The identity of a peer: that of the first certificate of its list, the only
/// one whose key the handshake proves, CA flag or not.
///
/// Further CA certificates, a chain, are ignored (KES protocol, decision D1).
///
/// # Errors
///
/// [`PeerError::NoCertificate`] for an empty list, [`PeerError::TooManyCertificates`] for a
/// further certificate that is not of an authority.
pub fn peer_identity(chain: &[CertificateDer<'_>]) -> Result<Identity, PeerError> {
    let (first, further) = chain.split_first().ok_or(PeerError::NoCertificate)?;
    if further
        .iter()
        .any(|certificate| !is_ca(certificate).unwrap_or(false))
    {
        return Err(PeerError::TooManyCertificates);
    }
    // No handshake succeeds with a certificate that cannot be read.
    Identity::of_certificate(first).map_err(|_| PeerError::NoCertificate)
}

/// The SHA-256 of the DER SubjectPublicKeyInfo of the first certificate of a peer's list,
/// whatever follows it: what identities are made of (MinIO KMS protocol, section 1.2).
/// `None` without a certificate.
#[must_use]
pub fn public_key_hash(chain: &[CertificateDer<'_>]) -> Option<[u8; 32]> {
    let (_, certificate) = X509Certificate::from_der(chain.first()?).ok()?;
    Some(sha256(certificate.public_key().raw))
}
