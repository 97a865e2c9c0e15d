//! `tls`

use std::path::PathBuf;

use keystead_crypto::Secret;

use crate::{Error, read::Section};

/// `tls`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// Server certificates, at least one. A client gets the first one that names the host
    /// it asks for, or else the first.
    pub certs: Vec<CertificateConfig>,
    /// File or folder of PEM certificates, added to the system's roots for the
    /// connections that the server opens itself.
    pub ca: Option<PathBuf>,
}

/// A certificate with its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateConfig {
    /// PEM private key.
    pub key: PathBuf,
    /// PEM certificate chain, leaf first.
    pub cert: PathBuf,
    /// Password of the private key.
    pub password: Option<Secret>,
}

const ADVICE: &str = "add 'tls: { certs: [ { key: private.key, cert: public.crt } ] }' with the \
                      server's private key and certificate";

impl TlsConfig {
    pub(super) fn read(root: &Section<'_>) -> Result<Self, Error> {
        let Some(tls) = root.optional("tls", Self::read_section) else {
            let place = root.place_of("tls");
            let message = "kms: no TLS configuration provided".to_owned();
            return Err(root.wrong(&place, message, ADVICE));
        };
        tls
    }

    fn read_section(section: &Section<'_>) -> Result<Self, Error> {
        let certs = section.items("certs", CertificateConfig::read);
        let ca = section.file("ca");
        if certs.is_empty() {
            let place = section.place_of("certs");
            let message = "kms: no server certificate provided".to_owned();
            return Err(section.wrong(&place, message, ADVICE));
        }
        Ok(Self {
            certs: certs.into_iter().collect::<Result<_, _>>()?,
            ca: ca.map(|field| field.value),
        })
    }
}

impl CertificateConfig {
    fn read(section: &Section<'_>) -> Result<Self, Error> {
        let key = section.require(
            "key",
            section.file("key"),
            "kms: no server private key provided",
            "write the path of the server's PEM private key",
        );
        let cert = section.require(
            "cert",
            section.file("cert"),
            "kms: no server certificate provided",
            "write the path of the server's PEM certificate",
        );
        let password = section.secret("password", "password_file");
        Ok(Self {
            key: key?.value,
            cert: cert?.value,
            password: password.map(|field| field.value),
        })
    }
}
