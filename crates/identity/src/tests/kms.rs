//! Keys of MinIO KMS: certificates of every kind of key, PEM files, odd texts.

use jiff::Timestamp;
use keystead_crypto::{Curve, SystemRandom};
use proptest::array::uniform32;
use proptest::prelude::*;
use x509_parser::prelude::*;

use crate::{Error, Identity, KmsApiKey, KmsCredential, KmsIdentity, certificate_to_pem};

const V1_RSA: &[u8] = include_bytes!("data/v1_rsa.pem");
const P256_SEC1: &[u8] = include_bytes!("keys/p256_sec1.pem");
const P384_PKCS8: &[u8] = include_bytes!("keys/p384_pkcs8.pem");
const RSA_PKCS8: &[u8] = include_bytes!("keys/rsa_pkcs8.pem");

fn keys() -> Vec<KmsApiKey> {
    let curves = [Curve::P256, Curve::P384, Curve::P521];
    let mut keys = vec![KmsApiKey::generate(&SystemRandom).unwrap()];
    keys.extend(curves.map(|curve| KmsApiKey::generate_on(curve, &SystemRandom).unwrap()));
    keys
}

#[test]
fn every_kind_of_key_makes_its_client_certificate() {
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    for api_key in keys() {
        let der = api_key.client_certificate(now, &SystemRandom).unwrap();
        assert_eq!(KmsIdentity::of_certificate(&der), Ok(api_key.identity()));
        let (_, certificate) = X509Certificate::from_der(&der).unwrap();
        assert_eq!(
            certificate.subject().to_string(),
            format!("CN={}", api_key.identity())
        );
        assert_eq!(certificate.subject(), certificate.issuer());
        let days = certificate.validity().not_after.timestamp() - now.as_second();
        assert_eq!(days, 90 * 24 * 60 * 60);
        let usage = certificate.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.client_auth && !usage.server_auth);
        let spki = certificate.public_key().raw;
        assert_eq!(
            Identity::of_spki(spki).as_str(),
            keystead_crypto::hex(api_key.identity().as_bytes())
        );
    }
}

#[test]
fn keys_survive_their_pem_files() {
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    for api_key in keys() {
        let pem = api_key.to_pem().unwrap();
        let Ok(KmsCredential::PrivateKey(again)) = KmsCredential::from_pem(pem.as_bytes()) else {
            panic!("no private key");
        };
        assert_eq!(again.to_text(), api_key.to_text());
        let der = api_key.client_certificate(now, &SystemRandom).unwrap();
        let pem = certificate_to_pem(&der);
        let read = KmsCredential::from_pem(pem.as_bytes()).unwrap();
        assert!(matches!(read, KmsCredential::Certificate(_)));
        assert_eq!(read.identity(), api_key.identity());
        assert_eq!(KmsIdentity::of_pem(pem.as_bytes()), Ok(api_key.identity()));
    }
}

/// Files of OpenSSL 3 (`ecparam -genkey`, `genpkey`), identities by `dgst`.
#[test]
fn keys_of_openssl_are_read() {
    for (file, prefix, identity) in [
        (
            P256_SEC1,
            "k2:",
            "h1:_fI3mm4hELuWVlUUtZcrfwC7p8AsZhB2Z82wwOANlb8",
        ),
        (
            P384_PKCS8,
            "k2:",
            "h1:sOUElROI8-MEOw1k56QLYNgsWbxFixJJ6nBrdpbvfCs",
        ),
    ] {
        let read = KmsCredential::from_pem(file).unwrap();
        assert_eq!(read.identity().to_string(), identity);
        let KmsCredential::PrivateKey(key) = read else {
            panic!("no private key");
        };
        assert!(key.to_text().starts_with(prefix));
    }
    let refused = KmsCredential::from_pem(RSA_PKCS8);
    assert_eq!(refused.err(), Some(Error::PrivateKey));
    let certificate = KmsCredential::from_pem(V1_RSA).unwrap();
    assert_eq!(
        keystead_crypto::hex(certificate.identity().as_bytes()),
        "d6d022320c9c76fd1a021a3ff94aa09a2464a7b255a1af77543af920547ab98b"
    );
    assert!(KmsIdentity::of_pem(P256_SEC1).is_err());
    let nothing = KmsCredential::from_pem(b"no PEM").err();
    assert_eq!(
        nothing,
        Some(Error::NoPemBlock("certificate or private key"))
    );
}

#[test]
fn unused_bits_do_not_matter() {
    let text = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let same = KmsApiKey::parse(&text.replace("Hh8", "Hh9")).unwrap();
    assert_eq!(*same.to_text(), text);
    let identity = same.identity().to_string();
    let last = identity.chars().last().unwrap();
    let odd = format!(
        "{}{}",
        &identity[..45],
        if last == 'U' { 'V' } else { last }
    );
    assert_eq!(odd.parse(), Ok(same.identity()));
    for wrong in ["h1: ", "H1:AAAA", "h1", "h1:AAAA\n", " "] {
        assert!(wrong.parse::<KmsIdentity>().is_err(), "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn identities_survive_their_text(bytes in uniform32(any::<u8>())) {
        let identity = KmsIdentity::from_bytes(bytes);
        let text = identity.to_string();
        prop_assert_eq!(text.parse(), Ok(identity));
        prop_assert_eq!(text.is_empty(), identity.is_nobody());
        prop_assert_eq!(format!("{identity:?}"), format!("KmsIdentity({text})"));
    }

    #[test]
    fn any_text_is_read_without_panic(text in "(k1:|k2:|h1:)?[A-Za-z0-9_-]{0,95}") {
        if let Ok(key) = KmsApiKey::parse(&text) {
            prop_assert_eq!(KmsApiKey::parse(&key.to_text()).unwrap().identity(), key.identity());
        }
        if let Ok(identity) = text.parse::<KmsIdentity>() {
            prop_assert_eq!(identity.to_string().parse(), Ok(identity));
        }
    }

    #[test]
    fn any_der_is_read_without_panic(der in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(KmsApiKey::from_der(&der).err(), Some(Error::PrivateKey));
    }
}
