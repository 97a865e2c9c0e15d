//! The golden vectors of MinIO KMS about API keys and identities.

use data_encoding::HEXLOWER;
use keystead_crypto::{Curve, EcdsaKey, Ed25519Key, hex};
use serde_json::Value;

use crate::{Error, KmsApiKey, KmsIdentity};

fn section(name: &str) -> Value {
    let mut vectors: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/minkms.json")).unwrap();
    vectors[name].take()
}

fn list(name: &str) -> Vec<Value> {
    let Value::Array(entries) = section(name) else {
        panic!("{name} is no list");
    };
    println!("vectors: {name}: {}", entries.len());
    assert!(!entries.is_empty());
    entries
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry[field].as_str().unwrap()
}

fn bytes(entry: &Value, field: &str) -> Vec<u8> {
    HEXLOWER.decode(text(entry, field).as_bytes()).unwrap()
}

#[test]
fn api_keys() {
    for entry in list("api_keys") {
        let api_key = KmsApiKey::parse(text(&entry, "api_key")).unwrap();
        assert_eq!(*api_key.to_text(), text(&entry, "api_key"));
        assert_eq!(api_key.identity().to_string(), text(&entry, "identity"));
        assert_eq!(
            hex(api_key.identity().as_bytes()),
            text(&entry, "spki_sha256")
        );
        let spki = bytes(&entry, "spki_der");
        assert_eq!(KmsIdentity::of_spki(&spki), api_key.identity());

        let der = api_key.private_key_pkcs8().unwrap();
        assert_eq!(
            KmsApiKey::from_der(&der).unwrap().to_text(),
            api_key.to_text()
        );
        if text(&entry, "kind") == "ed25519" {
            assert!(!api_key.is_fips());
            let key = Ed25519Key::from_pkcs8(&der).unwrap();
            assert_eq!(hex(key.seed()), text(&entry, "seed"));
            assert_eq!(hex(&key.public_key()), text(&entry, "public_key"));
        } else {
            assert!(api_key.is_fips());
            let key = EcdsaKey::from_der(&der).unwrap();
            assert_eq!(hex(key.scalar()), text(&entry, "scalar"));
        }
    }
}

#[test]
fn invalid_api_keys() {
    for entry in list("invalid_api_keys") {
        let refused = KmsApiKey::parse(text(&entry, "value"));
        assert!(matches!(refused, Err(Error::ApiKey(_))), "{entry}");
    }
}

#[test]
fn invalid_identities() {
    for entry in list("invalid_identities") {
        let refused = text(&entry, "value").parse::<KmsIdentity>();
        assert!(matches!(refused, Err(Error::Identity(_))), "{entry}");
    }
}

#[test]
fn zero_identity() {
    let entry = section("zero_identity");
    for field in ["string", "zero_text"] {
        let identity: KmsIdentity = text(&entry, field).parse().unwrap();
        assert!(identity.is_nobody());
        assert_eq!(identity, KmsIdentity::NOBODY);
        assert_eq!(identity, KmsIdentity::default());
        assert_eq!(identity.to_string(), "");
    }
}

#[test]
fn client_certificates() {
    for name in ["client_certificate", "client_certificate_from_go"] {
        let entry = section(name);
        let identity = KmsIdentity::of_certificate(&bytes(&entry, "der")).unwrap();
        assert_eq!(identity.to_string(), text(&entry, "identity"), "{name}");
    }
}

/// Byte for byte the certificate of the vectors: the serial number and the time are
/// parameters, and Ed25519 signs without chance.
#[test]
fn client_certificate_is_made_again() {
    struct Serial(Vec<u8>);
    impl keystead_crypto::Random for Serial {
        fn fill(&self, out: &mut [u8]) -> Result<(), keystead_crypto::Error> {
            out.copy_from_slice(&self.0);
            Ok(())
        }
    }
    let entry = section("client_certificate");
    let serial = HEXLOWER
        .decode(b"0102030405060708090a0b0c0d0e0f10")
        .unwrap();
    let api_key = KmsApiKey::parse(text(&entry, "api_key")).unwrap();
    let now = text(&entry, "not_before").parse().unwrap();
    let der = api_key.client_certificate(now, &Serial(serial)).unwrap();
    assert_eq!(hex(&der), text(&entry, "der"));
}

#[test]
fn decisions_root_key_and_rek_keys_have_their_identities() {
    let decisions = section("decisions");
    let mut pairs: Vec<_> = decisions["root_key"]["cases"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|case| {
            [("api_key", "identity"), ("fips_api_key", "fips_identity")].map(|pair| (case, pair))
        })
        .collect();
    pairs.push((&decisions["rek"], ("node_api_key", "node_identity")));
    for (case, (key, identity)) in &pairs {
        let api_key = KmsApiKey::parse(text(case, key)).unwrap();
        assert_eq!(api_key.identity().to_string(), text(case, identity));
        assert_eq!(*api_key.to_text(), text(case, key));
    }
    assert_eq!(pairs.len(), 9);
}

#[test]
fn curves_are_told_apart_by_length() {
    for (curve, length) in [(Curve::P256, 46), (Curve::P384, 67), (Curve::P521, 91)] {
        let api_key = KmsApiKey::generate_on(curve, &keystead_crypto::SystemRandom).unwrap();
        assert_eq!(api_key.to_text().len(), length);
        let again = KmsApiKey::parse(&api_key.to_text()).unwrap();
        assert_eq!(again.identity(), api_key.identity());
        assert_eq!(api_key.identity().to_string().len(), KmsIdentity::TEXT_LEN);
    }
}
