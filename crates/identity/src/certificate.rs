use std::fmt::Display;
use std::net::IpAddr;
use std::time::SystemTime;

use jiff::{SignedDuration, Timestamp};
use keystead_crypto::{Curve, EcdsaKey, Ed25519Key, Random};
use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512,
    PKCS_ED25519, PublicKeyData, SanType, SerialNumber, SignatureAlgorithm, SigningKey,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::Error;

/// Object identifier of the Basic Constraints extension (RFC 5280, section
/// 4.2.1.9).
const BASIC_CONSTRAINTS: [u64; 4] = [2, 5, 29, 19];

/// How long the certificate of a client is valid.
const CLIENT_VALIDITY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What a certificate says beside its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateTemplate {
    /// Common name; the identity if there is none.
    pub subject: Option<String>,
    /// DNS names.
    pub dns: Vec<String>,
    /// IP addresses.
    pub ips: Vec<IpAddr>,
    /// Good for server authentication as well as for client authentication.
    pub server: bool,
    /// Begin of the validity, in full seconds.
    pub not_before: Timestamp,
    /// End of the validity, in full seconds.
    pub not_after: Timestamp,
}

// === impl CertificateTemplate ===

impl CertificateTemplate {
    /// What a client presents: named after its identity, valid for 90 days, for
    /// nothing but client authentication (KES protocol, section 1.3; MinIO KMS
    /// protocol, section 1.3).
    pub(crate) fn client(now: Timestamp) -> Result<Self, Error> {
        Ok(Self {
            subject: None,
            dns: Vec::new(),
            ips: Vec::new(),
            server: false,
            not_before: now,
            not_after: now.checked_add(CLIENT_VALIDITY).map_err(unusable)?,
        })
    }
}

/// Whether the Basic Constraints of a DER certificate say that it belongs to a
/// certificate authority. Certificates of version 1 never say so.
///
/// # Errors
/// [`Error::Certificate`].
pub fn is_ca(der: &[u8]) -> Result<bool, Error> {
    let certificate = parse(der)?;
    let constraints = certificate.basic_constraints().map_err(malformed)?;
    Ok(constraints.is_some_and(|extension| extension.value.ca))
}

/// Takes one DER certificate apart.
pub(crate) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, Error> {
    match X509Certificate::from_der(der).map_err(malformed)? {
        ([], certificate) => Ok(certificate),
        _ => Err(Error::Certificate("trailing data".to_owned())),
    }
}

/// The DER SubjectPublicKeyInfo of a key.
pub(crate) fn spki(key: PrivateKey<'_>) -> Vec<u8> {
    Signer::new(key).subject_public_key_info()
}

/// A certificate of version 3 over and by `key`.
///
/// Its extensions are Key Usage, Extended Key Usage and Basic Constraints in
/// the order of KES protocol, section 1.3, after the names if there are any.
pub(crate) fn self_signed(
    key: PrivateKey<'_>,
    identity: &str,
    template: &CertificateTemplate,
    random: &dyn Random,
) -> Result<Vec<u8>, Error> {
    let mut serial = [0; 16];
    random.fill(&mut serial)?;

    let mut params = CertificateParams::new(template.dns.clone()).map_err(unusable)?;
    params
        .subject_alt_names
        .extend(template.ips.iter().copied().map(SanType::IpAddress));
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.not_before = SystemTime::from(template.not_before).into();
    params.not_after = SystemTime::from(template.not_after).into();
    params.distinguished_name = DistinguishedName::new();
    let subject = template.subject.as_deref().unwrap_or(identity);
    params.distinguished_name.push(DnType::CommonName, subject);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    if template.server {
        params
            .extended_key_usages
            .push(ExtendedKeyUsagePurpose::ServerAuth);
    }
    params.custom_extensions = vec![no_ca()];

    let certificate = params.self_signed(&Signer::new(key)).map_err(unusable)?;
    Ok(certificate.der().to_vec())
}

/// The Basic Constraints of a certificate that is not a CA: an empty sequence.
/// Written by hand because rcgen would add a Subject Key Identifier to them.
fn no_ca() -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(&BASIC_CONSTRAINTS, vec![0x30, 0x00]);
    extension.set_criticality(true);
    extension
}

fn malformed(error: impl Display) -> Error {
    Error::Certificate(error.to_string())
}

pub(crate) fn unusable(error: impl Display) -> Error {
    Error::Template(error.to_string())
}

/// A private key of any kind that makes certificates.
#[derive(Clone, Copy)]
pub(crate) enum PrivateKey<'a> {
    Ed25519(&'a Ed25519Key),
    Ecdsa(&'a EcdsaKey),
}

/// Lets rcgen sign without handing it a copy of the private key.
struct Signer<'a> {
    key: PrivateKey<'a>,
    public_key: Vec<u8>,
}

impl<'a> Signer<'a> {
    fn new(key: PrivateKey<'a>) -> Self {
        let public_key = match key {
            PrivateKey::Ed25519(key) => key.public_key().to_vec(),
            PrivateKey::Ecdsa(key) => key.public_key().to_vec(),
        };
        Self { key, public_key }
    }
}

impl PublicKeyData for Signer<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.public_key
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.key {
            PrivateKey::Ed25519(_) => &PKCS_ED25519,
            PrivateKey::Ecdsa(key) => match key.curve() {
                Curve::P256 => &PKCS_ECDSA_P256_SHA256,
                Curve::P384 => &PKCS_ECDSA_P384_SHA384,
                Curve::P521 => &PKCS_ECDSA_P521_SHA512,
            },
        }
    }
}

impl SigningKey for Signer<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        match self.key {
            PrivateKey::Ed25519(key) => Ok(key.sign(message)),
            PrivateKey::Ecdsa(key) => key.sign(message).map_err(|_| rcgen::Error::RemoteKeyError),
        }
    }
}
