//! The certificate of a development server.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::time::ASN1Time;

use crate::provider::certified_key;
use crate::{Error, ServerTls};

const VALIDITY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// TLS of a development server: a fresh self-signed P-256 certificate for
/// `localhost` and `ips`, 90 days from `now`; client certificates are required
/// and not verified (KES protocol, section 2.5).
///
/// # Errors
///
/// [`Error::Encode`] if the certificate cannot be made.
pub fn self_signed_dev(ips: &[IpAddr], now: Timestamp) -> Result<ServerTls, Error> {
    of_client(ips, true, now)
}

/// As [`self_signed_dev`], but clients may do without a certificate (MinIO KMS protocol,
/// section 2.2).
///
/// # Errors
///
/// [`Error::Encode`] if the certificate cannot be made.
pub fn self_signed_dev_open(ips: &[IpAddr], now: Timestamp) -> Result<ServerTls, Error> {
    of_client(ips, false, now)
}

fn of_client(ips: &[IpAddr], client_required: bool, now: Timestamp) -> Result<ServerTls, Error> {
    let (certificate, key) =
        self_signed(ips, now).map_err(|error| Error::Encode(error.to_string()))?;
    let key = certified_key(vec![certificate], key)?;
    ServerTls::new(key, Vec::new(), client_required, None)
}

type SelfSigned = (CertificateDer<'static>, PrivateKeyDer<'static>);

fn self_signed(ips: &[IpAddr], now: Timestamp) -> Result<SelfSigned, Box<dyn std::error::Error>> {
    let names = ["localhost".to_owned()].into_iter();
    let names = names.chain(ips.iter().map(IpAddr::to_string));
    let mut params = CertificateParams::new(names.collect::<Vec<_>>())?;
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    let end = now.checked_add(VALIDITY)?;
    params.not_before = ASN1Time::from_timestamp(now.as_second())?.to_datetime();
    params.not_after = ASN1Time::from_timestamp(end.as_second())?.to_datetime();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = params.self_signed(&key)?.der().clone();
    Ok((
        certificate,
        PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    ))
}
