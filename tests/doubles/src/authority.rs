use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// HTTP without TLS.
    Off,
    /// TLS 1.2 and 1.3.
    On,
    /// TLS 1.2 alone.
    Only12,
    /// TLS 1.3 alone.
    Only13,
    /// TLS 1.2 and 1.3 with a client certificate of [`Authority::client`].
    Mutual,
}

/// A certificate authority with a folder of its own, which goes when it is dropped.
pub struct Authority {
    folder: TempDir,
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

// === impl Authority ===

impl Authority {
    /// A new authority.
    ///
    /// # Errors
    ///
    /// If its certificate cannot be made or written.
    pub fn new() -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let authority = Self {
            folder: tempfile::tempdir()?,
            certificate,
            issuer: Issuer::new(params, key),
        };
        fs::write(authority.file(), authority.certificate.pem())?;
        Ok(authority)
    }

    /// The PEM file with the certificate of the authority.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// PEM files with certificate and private key of a client.
    ///
    /// # Errors
    ///
    /// If they cannot be made or written.
    pub fn client(&self) -> Result<(PathBuf, PathBuf)> {
        self.write("client", ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// PEM files with certificate and private key of a server on this machine.
    pub(crate) fn server_files(&self) -> Result<(PathBuf, PathBuf)> {
        self.write("server", ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn write(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> Result<(PathBuf, PathBuf)> {
        let (certificate, key) = self.issue(usage)?;
        let file = |extension: &str| self.folder.path().join(format!("{name}.{extension}"));
        fs::write(file("crt"), certificate.pem())?;
        fs::write(file("key"), key.serialize_pem())?;
        Ok((file("crt"), file("key")))
    }

    /// The settings of a server on this machine; none without TLS.
    pub(crate) fn server(&self, tls: Tls) -> Result<Option<Arc<rustls::ServerConfig>>> {
        let versions = match tls {
            Tls::Off => return Ok(None),
            Tls::On | Tls::Mutual => vec![&TLS12, &TLS13],
            Tls::Only12 => vec![&TLS12],
            Tls::Only13 => vec![&TLS13],
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)?;
        let builder = if tls == Tls::Mutual {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate.der().clone())?;
            let roots = Arc::new(roots);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build()?;
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let (certificate, key) = self.issue(ExtendedKeyUsagePurpose::ServerAuth)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = builder.with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Some(Arc::new(config)))
    }

    fn issue(&self, usage: ExtendedKeyUsagePurpose) -> Result<(rcgen::Certificate, KeyPair)> {
        let mut params = CertificateParams::new(vec!["127.0.0.1".into(), "localhost".into()])?;
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok((certificate, key))
    }
}
