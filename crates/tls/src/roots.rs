//! Certificate authorities.

use std::path::Path;
use std::sync::Arc;

use keystead_crypto::Secret;
use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, UnixTime};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;

use crate::{Error, Pem, pem_file};

/// The certificates somebody believes.
#[derive(Clone, Debug)]
pub(crate) struct Roots(Vec<CertificateDer<'static>>);

impl Roots {
    /// The system's authorities, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    ///
    /// Unreadable ones are left out: one bad file among a system's hundreds must not stop a
    /// program that may not need it.
    pub(crate) fn system() -> Self {
        Self(rustls_native_certs::load_native_certs().certs)
    }

    /// Those of a PEM file, or of all files in a directory.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        pem_file::authorities(path).map(Self)
    }

    /// Those of a PEM text.
    pub(crate) fn parse(text: Secret) -> Result<Self, Error> {
        Pem::Text(text).certificates().map(Self)
    }

    /// These and those of `others`.
    pub(crate) fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// The form in which rustls wants them.
    pub(crate) fn store(&self) -> Result<Arc<RootCertStore>, Error> {
        let mut store = RootCertStore::empty();
        match store.add_parsable_certificates(self.0.iter().cloned()) {
            (0, _) => Err(Error::NoAuthorities),
            _ => Ok(Arc::new(store)),
        }
    }

    /// Whether `certificate` itself is listed and valid at `now`.
    ///
    /// rustls takes no CA certificate as the certificate of a peer. `openssl req -x509` makes
    /// exactly such ones, and people trust them by listing them.
    pub(crate) fn pin(&self, certificate: &CertificateDer<'_>, now: UnixTime) -> bool {
        let now = i64::try_from(now.as_secs())
            .ok()
            .and_then(|seconds| ASN1Time::from_timestamp(seconds).ok());
        self.0.contains(certificate)
            && X509Certificate::from_der(certificate)
                .ok()
                .zip(now)
                .is_some_and(|((_, certificate), now)| certificate.validity().is_valid_at(now))
    }
}
