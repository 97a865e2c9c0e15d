//! The cryptography behind TLS: aws-lc, with X25519MLKEM768 as the preferred key exchange.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::Error;

/// HTTP/2 before HTTP/1.1 (RFC 7301).
pub(crate) fn alpn() -> Vec<Vec<u8>> {
    vec![b"h2".to_vec(), b"http/1.1".to_vec()]
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Makes the cryptography of this crate that of the process, for libraries that insist on
/// making TLS connections or signatures of their own. Nothing happens if that has been
/// done before.
pub fn install_default() {
    aws_lc_rs::default_provider().install_default().ok();
}

/// A certificate chain with its private key, after a check that they belong together.
///
/// rustls' own check does not read X.509 version 1 certificates.
pub(crate) fn certified_key(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, Error> {
    let key = provider().key_provider.load_private_key(key)?;
    let certificate = chain
        .first()
        .and_then(|leaf| X509Certificate::from_der(leaf).ok());
    let matches = match (&certificate, key.public_key()) {
        (Some((_, certificate)), Some(public)) => certificate.public_key().raw == public.as_ref(),
        (certificate, _) => certificate.is_some(),
    };
    if matches {
        Ok(CertifiedKey::new(chain, key))
    } else {
        Err(Error::KeyMismatch)
    }
}
