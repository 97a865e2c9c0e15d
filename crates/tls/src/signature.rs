//! Proof that a peer holds the private key of its certificate.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme};
use rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use webpki::RawPublicKeyEntity;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Checks handshake signatures with nothing but the public key of a certificate.
///
/// rustls' own check reads the whole certificate first and refuses X.509 version 1,
/// which `openssl x509 -req` writes without extensions and which Go accepts.
#[derive(Clone, Debug)]
pub(crate) struct HandshakeSignatures(pub(crate) WebPkiSupportedAlgorithms);

impl HandshakeSignatures {
    pub(crate) fn schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }

    /// The TLS 1.3 check (RFC 8446, section 4.4.3).
    pub(crate) fn tls13(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature_with_raw_key(message, &spki(certificate)?, signature, &self.0)
    }

    /// The TLS 1.2 check (RFC 5246, section 7.4.8).
    ///
    /// A TLS 1.2 scheme does not name the curve, so all algorithms of the scheme are
    /// candidates; the key picks one.
    pub(crate) fn tls12(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let candidates = self
            .0
            .mapping
            .iter()
            .find_map(|(scheme, candidates)| (*scheme == signature.scheme).then_some(*candidates))
            .ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        let spki = spki(certificate)?;
        let key = RawPublicKeyEntity::try_from(&spki)
            .map_err(|_| Error::from(CertificateError::BadEncoding))?;
        candidates
            .iter()
            .any(|algorithm| {
                key.verify_signature(*algorithm, message, signature.signature())
                    .is_ok()
            })
            .then(HandshakeSignatureValid::assertion)
            .ok_or_else(|| CertificateError::BadSignature.into())
    }
}

fn spki<'a>(certificate: &'a CertificateDer<'_>) -> Result<SubjectPublicKeyInfoDer<'a>, Error> {
    let (_, certificate) =
        X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    Ok(SubjectPublicKeyInfoDer::from(
        certificate.tbs_certificate.subject_pki.raw,
    ))
}
