use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use keystead_identity::Identity;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use rcgen::ExtendedKeyUsagePurpose;
use tempfile::tempdir;

use super::certificates::{Authority, Made};
use crate::{Forwarded, ProxyError, ProxyRules, self_signed_dev, server};

const HEADER: &str = "X-Tls-Client-Cert";

fn proxy() -> Identity {
    "proxy".into()
}

fn rules() -> ProxyRules {
    let tls = self_signed_dev(&[], Timestamp::now()).unwrap();
    ProxyRules::new([proxy()], HEADER, &tls)
}

fn forward(text: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let value = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    headers.insert(HEADER, value.parse().unwrap());
    headers
}

fn apply(rules: &ProxyRules, headers: &HeaderMap) -> Result<Option<Forwarded>, ProxyError> {
    rules.apply(&proxy(), headers, Timestamp::now())
}

#[test]
fn other_peers_speak_for_themselves() {
    let headers = forward(&Made::p256().certificate_pem());
    let peer = "somebody".into();
    assert_eq!(rules().apply(&peer, &headers, Timestamp::now()), Ok(None));
}

#[test]
fn the_forwarded_certificate_counts() {
    let made = Made::p256();
    let forwarded = apply(&rules(), &forward(&made.certificate_pem()))
        .unwrap()
        .unwrap();
    assert_eq!(
        forwarded.identity,
        Identity::of_certificate(&made.certificate).unwrap()
    );
    assert_eq!(forwarded.ip, None);
}

#[test]
fn unusable_headers() {
    let made = Made::p256();
    let mut headers = HeaderMap::new();
    assert_eq!(apply(&rules(), &headers), Err(ProxyError::NoCertificate));
    for text in [
        "",
        "junk",
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        &made.certificate_pem().replace("CERTIFICATE", "PUBLIC KEY"),
        &(made.certificate_pem() + &made.certificate_pem()),
    ] {
        assert_eq!(
            apply(&rules(), &forward(text)),
            Err(ProxyError::InvalidCertificate)
        );
    }
    headers.insert(HEADER, HeaderValue::from_static("%zz%"));
    assert_eq!(
        apply(&rules(), &headers),
        Err(ProxyError::InvalidCertificate)
    );
    headers.append(HEADER, HeaderValue::from_static("x"));
    assert_eq!(
        apply(&rules(), &headers),
        Err(ProxyError::TooManyCertificates)
    );
}

#[test]
fn forwarded_certificates_are_verified_where_clients_are() {
    let folder = tempdir().unwrap();
    let authority = Authority::new();
    let mut settings = Made::p256().server(folder.path());
    settings.client_auth.verified = true;
    settings.ca = Some(authority.write(folder.path()));
    let tls = server(&settings).unwrap();
    let rules = ProxyRules::new([proxy()], HEADER, &tls);

    let trusted = authority.sign(|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let for_servers = authority.sign(|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    assert!(apply(&rules, &forward(&trusted.certificate_pem())).is_ok());
    for made in [for_servers, Made::p256()] {
        let headers = forward(&made.certificate_pem());
        assert_eq!(apply(&rules, &headers), Err(ProxyError::NotVerified));
    }
}

#[test]
fn client_addresses() {
    let mut headers = forward(&Made::p256().certificate_pem());
    for (value, ip) in [
        ("10.1.2.3", Some("10.1.2.3")),
        ("10.1.2.3:4711, 10.0.0.1", Some("10.1.2.3")),
        (" 2001:db8::1 ,10.0.0.1", Some("2001:db8::1")),
        ("[2001:db8::1]:443", Some("2001:db8::1")),
        ("[2001:db8::1]", Some("2001:db8::1")),
        ("unknown", None),
        ("", None),
    ] {
        headers.insert("X-Forwarded-For", value.parse().unwrap());
        let forwarded = apply(&rules(), &headers).unwrap().unwrap();
        assert_eq!(forwarded.ip, ip.map(|ip| ip.parse().unwrap()), "{value}");
    }
}

proptest! {
    #[test]
    fn any_header_is_answered(value: Vec<u8>, from: Vec<u8>) {
        let mut headers = HeaderMap::new();
        if let (Ok(value), Ok(from)) = (value.try_into(), HeaderValue::try_from(from)) {
            headers.insert(HEADER, value);
            headers.insert("X-Forwarded-For", from);
            prop_assert_eq!(apply(&rules(), &headers), Err(ProxyError::InvalidCertificate));
        }
    }
}
