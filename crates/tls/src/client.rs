//! TLS of a connecting client.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use keystead_crypto::{Random, Secret};
use keystead_identity::{ApiKey, KmsApiKey};
use rustls::ClientConfig;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use crate::provider::{alpn, certified_key, provider};
use crate::roots::Roots;
use crate::server_verifier::{ServerChain, ServerVerifier};
use crate::signature::HandshakeSignatures;
use crate::{Error, Pem};

/// A certificate with its private key, ready to be shown to a server.
#[derive(Clone)]
pub struct ClientCredential(pub(crate) CertifiedKey);

/// Which certificate authorities a client believes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// The system's, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    #[default]
    System,
    /// The system's and those of a PEM file or a directory of such files.
    SystemAnd(PathBuf),
    /// Those of a PEM file or a directory of such files alone.
    Only(PathBuf),
    /// Those of a PEM text alone.
    OnlyText(Secret),
    /// No verification: any server certificate will do.
    Insecure,
}

/// How a client connects.
#[derive(Clone, Default)]
pub struct ClientSettings {
    /// What the client shows to the server, if anything.
    pub credential: Option<ClientCredential>,
    /// What it expects of the server.
    pub trust: Trust,
}

/// The TLS configuration of a client: versions 1.2 and 1.3, HTTP/2 before HTTP/1.1,
/// post-quantum key exchange preferred.
///
/// A self-signed server certificate that is itself listed as an authority is accepted,
/// whether it is marked as CA or not.
///
/// # Errors
///
/// [`Error::Read`] and [`Error::Invalid`] for the file or directory of authorities,
/// [`Error::NoAuthorities`] if there are none at all.
pub fn client(settings: ClientSettings) -> Result<ClientConfig, Error> {
    let provider = provider();
    let roots = match &settings.trust {
        Trust::System => Some(Roots::system()),
        Trust::SystemAnd(path) => Some(Roots::system().and(Roots::read(path)?)),
        Trust::Only(path) => Some(Roots::read(path)?),
        Trust::OnlyText(text) => Some(Roots::parse(text.clone())?),
        Trust::Insecure => None,
    };
    let verifier = ServerVerifier {
        chain: roots
            .map(|roots| ServerChain::new(roots, Arc::clone(&provider)))
            .transpose()?,
        signatures: HandshakeSignatures(provider.signature_verification_algorithms),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match settings.credential {
        Some(credential) => config.with_client_cert_resolver(credential.resolver()),
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = alpn();
    Ok(config)
}

/// Whether an error of a connection means that the server's certificate is not trusted, which
/// another attempt does not change.
pub fn is_untrusted(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        // An I/O error does not name what it wraps as its source, but that one's source.
        next = match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
        if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
            return true;
        }
    }
    false
}

// === impl ClientCredential ===

impl ClientCredential {
    /// The throw-away certificate of an API key: self-signed, 90 days from `now`.
    ///
    /// # Errors
    ///
    /// [`Error::Encode`] if it cannot be made.
    pub fn from_api_key(key: &ApiKey, now: Timestamp, random: &dyn Random) -> Result<Self, Error> {
        let certificate = key
            .client_certificate(now, random)
            .map_err(|error| Error::Encode(error.to_string()))?;
        let private_key = PrivatePkcs8KeyDer::from(key.private_key_pkcs8().to_vec());
        certified_key(vec![CertificateDer::from(certificate)], private_key.into()).map(Self)
    }

    /// The throw-away certificate of an API key of MinIO KMS: self-signed, 90 days from
    /// `now`.
    ///
    /// # Errors
    ///
    /// [`Error::Encode`] if it cannot be made.
    pub fn from_kms_api_key(
        key: &KmsApiKey,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Self, Error> {
        let encode = |error: keystead_identity::Error| Error::Encode(error.to_string());
        let certificate = key.client_certificate(now, random).map_err(encode)?;
        let private_key = key.private_key_pkcs8().map_err(encode)?;
        let private_key = PrivatePkcs8KeyDer::from(private_key.to_vec());
        certified_key(vec![CertificateDer::from(certificate)], private_key.into()).map(Self)
    }

    /// Certificate chain and private key from PEM files.
    ///
    /// `password` is asked only if the key is encrypted.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] and [`Error::Invalid`] for the files, [`Error::Prompt`] with what
    /// `password` returned, [`Error::IncorrectPassword`], [`Error::KeyMismatch`].
    pub fn from_files(
        certificate: &Path,
        key: &Path,
        password: &dyn Fn() -> io::Result<Secret>,
    ) -> Result<Self, Error> {
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        Self::from_pem(&Pem::File(certificate), &Pem::File(key), password)
    }

    /// Certificate chain and private key as PEM, in files or not.
    ///
    /// # Errors
    ///
    /// Those of [`ClientCredential::from_files`].
    pub fn from_pem(
        certificate: &Pem,
        key: &Pem,
        password: &dyn Fn() -> io::Result<Secret>,
    ) -> Result<Self, Error> {
        let key =
            key.private_key(&|| password().map_err(|error| Error::Prompt(Arc::new(error))))?;
        certified_key(certificate.certificates()?, key).map(Self)
    }

    pub(crate) fn resolver(self) -> Arc<SingleCertAndKey> {
        Arc::new(SingleCertAndKey::from(self.0))
    }
}
