//! Certificates made from API keys, and identities read from certificates.

use std::net::{IpAddr, Ipv4Addr};

use crate::{ApiKey, CertificateTemplate, Error, Identity, certificates_from_pem, is_ca};
use jiff::{SignedDuration, Timestamp};
use keystead_crypto::{Ed25519Key, Error as CryptoError, Random, SystemRandom};
use proptest::prelude::*;
use x509_parser::prelude::*;

const V1_RSA: &[u8] = include_bytes!("data/v1_rsa.pem");
const CA_ECDSA: &[u8] = include_bytes!("data/ca_ecdsa.pem");
const LEAF_ED25519: &[u8] = include_bytes!("data/leaf_ed25519.pem");

/// Fills with one byte.
struct Constant(u8);

impl Random for Constant {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        out.fill(self.0);
        Ok(())
    }
}

fn der(pem: &[u8]) -> Vec<u8> {
    certificates_from_pem(pem).unwrap().remove(0)
}

/// The extensions of a certificate in their order: identifier, whether
/// critical, value.
fn extensions(certificate: &X509Certificate<'_>) -> Vec<(String, bool, Vec<u8>)> {
    let parts = |e: &X509Extension<'_>| (e.oid.to_id_string(), e.critical, e.value.to_vec());
    certificate.extensions().iter().map(parts).collect()
}

fn extension(oid: &str, critical: bool, value: &[u8]) -> (String, bool, Vec<u8>) {
    (oid.to_owned(), critical, value.to_vec())
}

#[test]
fn a_client_certificate_has_exactly_these_fields() {
    let api_key = ApiKey::from_seed(&[1; 32]).unwrap();
    let now: Timestamp = "2026-01-02T03:04:05.6Z".parse().unwrap();
    let der = api_key.client_certificate(now, &Constant(0xff)).unwrap();

    assert_eq!(
        Identity::of_certificate(&der).as_ref(),
        Ok(api_key.identity())
    );
    assert_eq!(is_ca(&der), Ok(false));

    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    let name = format!("CN={}", api_key.identity());
    assert_eq!(certificate.version(), X509Version::V3);
    assert_eq!(certificate.raw_serial(), [&[0][..], &[0xff; 16]].concat());
    assert_eq!(certificate.subject().to_string(), name);
    assert_eq!(certificate.issuer().to_string(), name);
    let (from, until) = (now.as_second(), now.as_second() + 90 * 24 * 60 * 60);
    assert_eq!(certificate.validity().not_before.timestamp(), from);
    assert_eq!(certificate.validity().not_after.timestamp(), until);
    assert_eq!(
        certificate.signature_algorithm.algorithm.to_id_string(),
        "1.3.101.112"
    );
    assert_eq!(
        extensions(&certificate),
        [
            extension("2.5.29.15", true, &[0x03, 0x02, 0x07, 0x80]),
            extension(
                "2.5.29.37",
                false,
                b"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"
            ),
            extension("2.5.29.19", true, &[0x30, 0x00]),
        ]
    );

    let key = Ed25519Key::from_seed(&[1; 32]).unwrap();
    let signature = key.sign(certificate.tbs_certificate.as_ref());
    assert_eq!(certificate.signature_value.as_ref(), signature);
}

#[test]
fn a_certificate_has_the_names_of_its_template() {
    let api_key = ApiKey::generate(&SystemRandom).unwrap();
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let template = CertificateTemplate {
        subject: Some("my server".to_owned()),
        dns: vec!["localhost".to_owned(), "*.example.com".to_owned()],
        ips: vec![IpAddr::V4(Ipv4Addr::LOCALHOST), "::1".parse().unwrap()],
        server: true,
        not_before: now,
        not_after: now + SignedDuration::from_hours(720),
    };
    let der = api_key.certificate(&template, &SystemRandom).unwrap();

    assert_eq!(
        Identity::of_certificate(&der).as_ref(),
        Ok(api_key.identity())
    );
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    assert_eq!(certificate.subject().to_string(), "CN=my server");
    let names = certificate.subject_alternative_name().unwrap().unwrap();
    let names: Vec<_> = names
        .value
        .general_names
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        names,
        [
            "DNSName(localhost)",
            "DNSName(*.example.com)",
            "IPAddress(7f:00:00:01)",
            "IPAddress(00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:01)"
        ]
    );
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && usage.server_auth);

    let template = CertificateTemplate {
        dns: vec!["no such nâme".to_owned()],
        ..template
    };
    let refused = api_key.certificate(&template, &SystemRandom);
    assert!(matches!(refused, Err(Error::Template(_))));
}

#[test]
fn any_kind_of_certificate_has_an_identity() {
    let cases = [
        (
            V1_RSA,
            false,
            "d6d022320c9c76fd1a021a3ff94aa09a2464a7b255a1af77543af920547ab98b",
        ),
        (
            CA_ECDSA,
            true,
            "eed135e2f8709e97be4f77afd3fc1d80d4ef18330fea581df4845d616a6aa18b",
        ),
        (
            LEAF_ED25519,
            false,
            "9782e1c5795dd322152b55fad543cd1733ea58bf7eda783a72ae3b3071d0cfa5",
        ),
    ];
    for (pem, ca, identity) in cases {
        let der = der(pem);
        assert_eq!(Identity::of_certificate(&der), Ok(identity.into()));
        assert_eq!(is_ca(&der), Ok(ca));
    }
}

#[test]
fn a_certificate_ends_where_it_ends() {
    let mut der = der(LEAF_ED25519);
    der.push(0);
    assert!(matches!(
        Identity::of_certificate(&der),
        Err(Error::Certificate(_))
    ));
    assert!(matches!(is_ca(&der[..100]), Err(Error::Certificate(_))));
}

proptest! {
    #[test]
    fn damaged_certificates_do_not_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut der = der(CA_ECDSA);
        let at = at.index(der.len());
        der[at] = byte;
        // Damaged constraints do not hide whose certificate it is.
        prop_assert!(Identity::of_certificate(&der).is_ok() || is_ca(&der).is_err());
    }

    #[test]
    fn api_keys_survive_their_text(seed in proptest::array::uniform32(any::<u8>())) {
        let api_key = ApiKey::from_seed(&seed).unwrap();
        let again = ApiKey::parse(&api_key.to_text()).unwrap();
        prop_assert_eq!(again.identity(), api_key.identity());
        prop_assert_eq!(again.to_text(), api_key.to_text());
    }

    #[test]
    fn any_text_is_read_without_panic(text in ".{0,80}") {
        prop_assert!(ApiKey::parse(&text).is_err());
    }
}
