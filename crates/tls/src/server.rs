//! TLS of a server.

use std::path::PathBuf;
use std::sync::Arc;

use keystead_crypto::Secret;
use rustls::CertificateError;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::sign::CertifiedKey;

use crate::by_name::ByName;
use crate::client_verifier::{ClientChain, ClientVerifier};
use crate::provider::{alpn, certified_key, provider};
use crate::roots::Roots;
use crate::signature::HandshakeSignatures;
use crate::{CertificateInfo, Error, pem_file};

/// What a server wants of its clients in the handshake (KES protocol, section 2.2).
///
/// An unverified certificate may be self-signed, expired, of any usage and of X.509 version 1;
/// a verified one has to be of version 3. Keys are RSA from 2048 bits, P-256, P-384, P-521 or
/// Ed25519, over TLS 1.2 and 1.3 alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAuth {
    /// A client without a certificate fails in the handshake.
    pub required: bool,
    /// A certificate must chain to the system's authorities or those of [`ServerSettings::ca`].
    pub verified: bool,
}

/// Where a server finds its key and certificates.
#[derive(Clone)]
pub struct ServerSettings {
    /// PEM certificate chain, leaf first.
    pub certificate: PathBuf,
    /// PEM private key.
    pub key: PathBuf,
    /// Password of the private key, if it is encrypted; an empty one counts as none.
    pub password: Option<Secret>,
    /// What clients have to show.
    pub client_auth: ClientAuth,
    /// Further client certificate authorities: a PEM file or a directory of such files.
    pub ca: Option<PathBuf>,
}

/// A key with its certificates, for a server that has several.
#[derive(Clone)]
pub struct KeyPair {
    /// PEM certificate chain, leaf first.
    pub certificate: PathBuf,
    /// PEM private key.
    pub key: PathBuf,
    /// Password of the private key, if it is encrypted; an empty one counts as none.
    pub password: Option<Secret>,
}

/// A server's TLS, immutable once made.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServerTls {
    /// What new connections use.
    pub config: Arc<rustls::ServerConfig>,
    /// The server certificate; of several the one that expires first.
    pub certificate: CertificateInfo,
    /// The whole chain, leaf first, for expiry warnings; of several one after the other.
    pub chain: Vec<CertificateInfo>,
    /// Set if client certificates are verified.
    pub(crate) client_chain: Option<ClientChain>,
}

/// Reads the files of `settings` and sets TLS up: versions 1.2 and 1.3, `h2` before
/// `http/1.1`, post-quantum key exchange preferred.
///
/// # Errors
///
/// [`Error::Read`] and [`Error::Invalid`] for the files, [`Error::PasswordRequired`] and
/// [`Error::IncorrectPassword`] for an encrypted key, [`Error::KeyMismatch`],
/// [`Error::NoSubjectAltName`], and [`Error::Tls`] for everything rustls refuses.
pub fn server(settings: &ServerSettings) -> Result<ServerTls, Error> {
    server_by_name(settings, &[])
}

/// As [`server`], with `further` certificates: a client gets the first one that names the
/// host it asks for, and that of `settings` if none does.
///
/// # Errors
///
/// Those of [`server`], for every pair of files.
pub fn server_by_name(settings: &ServerSettings, further: &[KeyPair]) -> Result<ServerTls, Error> {
    let first = KeyPair {
        certificate: settings.certificate.clone(),
        key: settings.key.clone(),
        password: settings.password.clone(),
    };
    let further = further.iter().map(KeyPair::read);
    let further = further.collect::<Result<_, _>>()?;
    let client_chain = if settings.client_auth.verified {
        let ca = settings.ca.as_deref().map(Roots::read).transpose()?;
        Some(ClientChain::new(ca, provider())?)
    } else {
        None
    };
    let required = settings.client_auth.required;
    ServerTls::new(first.read()?, further, required, client_chain)
}

// === impl ClientAuth ===

impl Default for ClientAuth {
    /// Required, but not verified: the default mode of KES.
    fn default() -> Self {
        Self {
            required: true,
            verified: false,
        }
    }
}

// === impl KeyPair ===

impl KeyPair {
    fn read(&self) -> Result<CertifiedKey, Error> {
        let chain = pem_file::certificates(&self.certificate)?;
        let key = pem_file::private_key(&self.key, &|| {
            let password = self.password.clone();
            password
                .filter(|password| !password.expose().is_empty())
                .ok_or(Error::PasswordRequired)
        })?;
        certified_key(chain, key)
    }
}

// === impl ServerSettings ===

impl ServerSettings {
    /// The files and directories that were read, to be watched for changes.
    pub fn files(&self) -> impl Iterator<Item = PathBuf> {
        [Some(&self.certificate), Some(&self.key), self.ca.as_ref()]
            .into_iter()
            .flatten()
            .cloned()
    }
}

// === impl ServerTls ===

impl ServerTls {
    pub(crate) fn new(
        first: CertifiedKey,
        further: Vec<CertifiedKey>,
        client_required: bool,
        client_chain: Option<ClientChain>,
    ) -> Result<Self, Error> {
        let mut chain = Vec::new();
        let mut certificate: Option<CertificateInfo> = None;
        for key in [&first].into_iter().chain(&further) {
            let one: Option<Vec<_>> = key.cert.iter().map(CertificateInfo::of).collect();
            let one = one.ok_or(rustls::Error::from(CertificateError::BadEncoding))?;
            let leaf = one.first().filter(|leaf| leaf.names_host);
            let leaf = leaf.ok_or(Error::NoSubjectAltName)?;
            if certificate
                .as_ref()
                .is_none_or(|soonest| leaf.not_after < soonest.not_after)
            {
                certificate = Some(leaf.clone());
            }
            chain.extend(one);
        }
        let certificate = certificate.ok_or(Error::NoSubjectAltName)?;

        let provider = provider();
        let verifier = ClientVerifier {
            required: client_required,
            chain: client_chain.clone(),
            signatures: HandshakeSignatures(provider.signature_verification_algorithms),
        };
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(Arc::new(ByName::new(first, further)));
        config.alpn_protocols = alpn();
        // Tickets carry the client certificate, and their key goes with this set-up: after a
        // reload every client proves itself anew.
        config.ticketer = Ticketer::new()?;
        Ok(Self {
            config: Arc::new(config),
            certificate,
            chain,
            client_chain,
        })
    }
}
