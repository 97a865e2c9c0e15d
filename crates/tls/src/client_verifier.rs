//! How a server looks at the certificates of its clients.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::roots::Roots;
use crate::signature::HandshakeSignatures;

/// Demands proof of the private key always, and a chain of trust only if told so.
#[derive(Debug)]
pub(crate) struct ClientVerifier {
    pub(crate) required: bool,
    pub(crate) chain: Option<ClientChain>,
    pub(crate) signatures: HandshakeSignatures,
}

/// Verification of client certificates against authorities.
#[derive(Clone, Debug)]
pub(crate) struct ClientChain {
    roots: Arc<Roots>,
    webpki: Arc<dyn ClientCertVerifier>,
    hints: Arc<[DistinguishedName]>,
}

// === impl ClientChain ===

impl ClientChain {
    /// Verification against the system's authorities and those of `ca`.
    ///
    /// Only the latter are named to clients: a Go client with a certificate of an issuer that
    /// is not named, a self-signed one for example, silently sends none.
    pub(crate) fn new(
        ca: Option<Roots>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, crate::Error> {
        let (roots, hints) = match ca {
            Some(ca) => {
                let hints = ca.store()?.subjects();
                (Roots::system().and(ca), hints)
            }
            None => (Roots::system(), Vec::new()),
        };
        let webpki = WebPkiClientVerifier::builder_with_provider(roots.store()?, provider)
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        Ok(Self {
            roots: Arc::new(roots),
            webpki,
            hints: hints.into(),
        })
    }

    /// Checks chain, validity and that the certificate is for clients.
    pub(crate) fn verify(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self
            .webpki
            .verify_client_cert(certificate, intermediates, now)
        {
            Err(Error::InvalidCertificate(CertificateError::Other(_)))
                if self.roots.pin(certificate, now) =>
            {
                Ok(ClientCertVerified::assertion())
            }
            verdict => verdict,
        }
    }
}

// === impl ClientVerifier ===

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.as_ref().map_or(&[], |chain| &*chain.hints)
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match &self.chain {
            Some(chain) => chain.verify(certificate, intermediates, now),
            None => Ok(ClientCertVerified::assertion()),
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
