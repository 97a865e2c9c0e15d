//! What clients accept from servers.

use std::fs;
use std::io;
use std::sync::Arc;

use rcgen::{PKCS_ECDSA_P256_SHA256, date_time_ymd};
use tempfile::tempdir;

use super::certificates::{Authority, Made};
use super::handshake::{presented, shake};
use crate::{
    ClientCredential, ClientSettings, Error, ServerTls, Trust, client, is_untrusted, peer_identity,
    self_signed_dev, server,
};
use jiff::Timestamp;
use keystead_crypto::SystemRandom;
use keystead_identity::ApiKey;

fn serve(made: &Made) -> ServerTls {
    let folder = tempdir().unwrap();
    let mut settings = made.server(folder.path());
    settings.client_auth.required = false;
    server(&settings).unwrap()
}

/// Whether a client that lists `listed` takes the certificate of `made`.
fn takes(made: &Made, listed: &str) -> bool {
    let folder = tempdir().unwrap();
    let ca = folder.path().join("ca.crt");
    fs::write(&ca, listed).unwrap();
    let config = client(ClientSettings {
        credential: None,
        trust: Trust::Only(ca),
    });
    shake(&Arc::new(config.unwrap()), &serve(made).config).is_ok()
}

#[test]
fn a_client_believes_somebody() {
    let folder = tempdir().unwrap();
    let nobody = client(ClientSettings {
        credential: None,
        trust: Trust::Only(folder.path().to_owned()),
    });
    assert!(matches!(nobody, Err(Error::NoAuthorities)));
}

#[test]
fn servers_are_verified() {
    let folder = tempdir().unwrap();
    let authority = Authority::new();
    let ca = authority.write(folder.path());
    let listed = fs::read_to_string(&ca).unwrap();
    assert!(takes(&authority.sign(|_| {}), &listed));
    assert!(!takes(&Made::p256(), &listed));
    let elsewhere = authority.sign(|params| {
        params.subject_alt_names = vec![rcgen::SanType::DnsName("other".try_into().unwrap())];
    });
    assert!(!takes(&elsewhere, &listed));
}

#[test]
fn a_self_signed_certificate_may_be_its_own_authority() {
    for made in [Made::p256(), Made::marked_as_ca()] {
        assert!(takes(&made, &made.certificate_pem()));
        assert!(!takes(&made, &Made::marked_as_ca().certificate_pem()));
    }
}

#[test]
fn a_listed_certificate_still_has_to_be_valid_and_named() {
    let expired = Made::with(&PKCS_ECDSA_P256_SHA256, |params| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2001, 4, 1);
    });
    assert!(!takes(&expired, &expired.certificate_pem()));
    let elsewhere = Made::with(&PKCS_ECDSA_P256_SHA256, |params| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.subject_alt_names = vec![rcgen::SanType::DnsName("other".try_into().unwrap())];
    });
    assert!(!takes(&elsewhere, &elsewhere.certificate_pem()));
}

#[test]
fn an_api_key_is_a_credential() {
    let key = ApiKey::generate(&SystemRandom).unwrap();
    let now = Timestamp::now();
    let credential = ClientCredential::from_api_key(&key, now, &SystemRandom).unwrap();
    let config = client(ClientSettings {
        credential: Some(credential),
        trust: Trust::Insecure,
    });
    let tls = self_signed_dev(&["127.0.0.1".parse().unwrap()], now).unwrap();
    let shaken = shake(&Arc::new(config.unwrap()), &tls.config).unwrap();
    assert_eq!(
        peer_identity(presented(&shaken)).as_ref(),
        Ok(key.identity())
    );
}

#[test]
fn a_development_certificate_is_valid_for_90_days() {
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    let tls = self_signed_dev(&["10.0.0.5".parse().unwrap(), "::1".parse().unwrap()], now).unwrap();
    assert_eq!(tls.certificate.subject, "CN=localhost");
    assert_eq!(tls.certificate.not_before, now);
    assert_eq!(
        tls.certificate.not_after.to_string(),
        "2027-02-19T12:00:00Z"
    );
}

#[test]
fn untrusted_servers_are_told_from_broken_connections() {
    let untrusted = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
    let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, untrusted));
    assert!(is_untrusted(&wrapped));
    assert!(!is_untrusted(&io::Error::other("reset")));
    assert!(!is_untrusted(&io::Error::other(
        rustls::Error::HandshakeNotComplete
    )));
}
