//! How a client looks at the certificate of its server.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::roots::Roots;
use crate::signature::HandshakeSignatures;

/// Demands proof of the private key always, and a chain of trust unless told not to.
#[derive(Debug)]
pub(crate) struct ServerVerifier {
    pub(crate) chain: Option<ServerChain>,
    pub(crate) signatures: HandshakeSignatures,
}

/// Verification of server certificates against authorities.
#[derive(Debug)]
pub(crate) struct ServerChain {
    roots: Roots,
    webpki: Arc<WebPkiServerVerifier>,
}

// === impl ServerChain ===

impl ServerChain {
    pub(crate) fn new(roots: Roots, provider: Arc<CryptoProvider>) -> Result<Self, crate::Error> {
        let webpki = WebPkiServerVerifier::builder_with_provider(roots.store()?, provider)
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        Ok(Self { roots, webpki })
    }
}

// === impl ServerVerifier ===

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(ServerChain { roots, webpki }) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        match webpki.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            Err(Error::InvalidCertificate(CertificateError::Other(_)))
                if roots.pin(certificate, now) =>
            {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.tls12(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signatures.tls13(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signatures.schemes()
    }
}
