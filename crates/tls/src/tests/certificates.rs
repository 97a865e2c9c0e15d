//! Certificates for the tests; every key is made on the spot.

use std::fs;
use std::path::{Path, PathBuf};

use pem::Pem;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, RsaKeySize,
    SignatureAlgorithm, SigningKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::provider::certified_key;
use crate::{ClientAuth, ClientCredential, ServerSettings};

/// A certificate with its key.
pub(crate) struct Made {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) key: KeyPair,
}

impl Made {
    /// Self-signed, with a key of the given kind.
    pub(crate) fn with(
        algorithm: &'static SignatureAlgorithm,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        let key = if algorithm == &rcgen::PKCS_RSA_SHA256 {
            KeyPair::generate_rsa_for(algorithm, RsaKeySize::_2048).unwrap()
        } else {
            KeyPair::generate_for(algorithm).unwrap()
        };
        let mut params = params();
        change(&mut params);
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { certificate, key }
    }

    pub(crate) fn p256() -> Self {
        Self::with(&rcgen::PKCS_ECDSA_P256_SHA256, |_| {})
    }

    /// Self-signed and marked as an authority, as `openssl req -x509` makes them.
    pub(crate) fn marked_as_ca() -> Self {
        Self::with(&rcgen::PKCS_ECDSA_P256_SHA256, |params| {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        })
    }

    /// X.509 version 1: the version 3 certificate without version and extensions, signed anew.
    pub(crate) fn v1(algorithm: &'static SignatureAlgorithm) -> Self {
        let Self { certificate, key } = Self::with(algorithm, |params| {
            params.subject_alt_names.clear();
        });
        let (_, parsed) = X509Certificate::from_der(&certificate).unwrap();
        let tbs = &parsed.tbs_certificate;
        let at = |part: &[u8]| part.as_ptr().addr() - certificate.as_ptr().addr();
        let serial = at(tbs.raw_serial()) - 2;
        let algorithm = at(tbs.raw_serial()) + tbs.raw_serial().len();
        let issuer = at(tbs.issuer.as_raw());
        let end = at(tbs.subject_pki.raw) + tbs.subject_pki.raw.len();

        let body = tlv(0x30, &certificate[serial..end]);
        let signature = [vec![0], key.sign(&body).unwrap()].concat();
        let parts = [
            &body,
            &certificate[algorithm..issuer],
            &tlv(0x03, &signature),
        ];
        Self {
            certificate: tlv(0x30, &parts.concat()).into(),
            key,
        }
    }

    pub(crate) fn credential(&self) -> ClientCredential {
        self.credential_with(&[])
    }

    pub(crate) fn credential_with(&self, further: &[&Self]) -> ClientCredential {
        let chain = [self].into_iter().chain(further.iter().copied());
        let chain = chain.map(|made| made.certificate.clone()).collect();
        ClientCredential(certified_key(chain, self.key()).unwrap())
    }

    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    pub(crate) fn certificate_pem(&self) -> String {
        pem::encode(&Pem::new("CERTIFICATE", self.certificate.to_vec()))
    }

    /// A server with this certificate and the default settings; the files are in `folder`.
    pub(crate) fn server(&self, folder: &Path) -> ServerSettings {
        let (certificate, key) = self.write(folder, "server");
        ServerSettings {
            certificate,
            key,
            password: None,
            client_auth: ClientAuth::default(),
            ca: None,
        }
    }

    /// Writes `NAME.crt` and `NAME.key`.
    pub(crate) fn write(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let certificate = folder.join(format!("{name}.crt"));
        let key = folder.join(format!("{name}.key"));
        fs::write(&certificate, self.certificate_pem()).unwrap();
        fs::write(&key, self.key.serialize_pem()).unwrap();
        (certificate, key)
    }
}

/// An authority that signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = params();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "authority");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn sign(&self, change: impl FnOnce(&mut CertificateParams)) -> Made {
        let key = KeyPair::generate().unwrap();
        let mut params = params();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.0).unwrap().der().clone();
        Made { certificate, key }
    }

    /// Writes `ca.crt`.
    pub(crate) fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("ca.crt");
        fs::write(&path, self.0.pem()).unwrap();
        path
    }
}

fn params() -> CertificateParams {
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "test");
    params
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82, len[0], len[1]], content].concat()
}
