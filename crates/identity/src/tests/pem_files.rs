//! PEM files: which block counts.

use crate::{ApiKey, Credential, Error, Identity, certificate_to_pem, certificates_from_pem};
use keystead_crypto::{Error as CryptoError, SystemRandom};

const CERTIFICATE: &str = include_str!("data/leaf_ed25519.pem");
const OTHER_CERTIFICATE: &str = include_str!("data/v1_rsa.pem");
const IDENTITY: &str = "9782e1c5795dd322152b55fad543cd1733ea58bf7eda783a72ae3b3071d0cfa5";

const PARAMETERS: &str =
    "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
const RSA_KEY: &str = "-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----\n";

#[test]
fn the_first_certificate_gives_the_identity() {
    let file = format!("some text\n{CERTIFICATE}{OTHER_CERTIFICATE}");
    assert_eq!(Identity::of_pem(file.as_bytes()), Ok(IDENTITY.into()));
    assert_eq!(certificates_from_pem(file.as_bytes()).unwrap().len(), 2);
}

#[test]
fn a_certificate_file_holds_certificates_only() {
    let file = format!("{CERTIFICATE}{RSA_KEY}");
    let refused = Error::NotCertificate("RSA PRIVATE KEY".to_owned());
    assert_eq!(Identity::of_pem(file.as_bytes()), Err(refused));
    assert_eq!(
        Identity::of_pem(b"no PEM"),
        Err(Error::NoPemBlock("certificate"))
    );
    let garbled = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    assert!(matches!(
        Identity::of_pem(garbled.as_bytes()),
        Err(Error::Pem(_))
    ));
}

#[test]
fn the_first_useful_block_is_the_credential() {
    let api_key = ApiKey::generate(&SystemRandom).unwrap();
    let file = format!("{PARAMETERS}{}{CERTIFICATE}", *api_key.to_pem());
    let Ok(Credential::PrivateKey(read)) = Credential::from_pem(file.as_bytes()) else {
        panic!("no private key");
    };
    assert_eq!(read.to_text(), api_key.to_text());

    let file = format!("{CERTIFICATE}{}", *api_key.to_pem());
    let Ok(Credential::Certificate(identity)) = Credential::from_pem(file.as_bytes()) else {
        panic!("no certificate");
    };
    assert_eq!(identity, IDENTITY.into());
}

#[test]
fn only_ed25519_keys_are_api_keys() {
    let refused = Credential::from_pem(RSA_KEY.as_bytes());
    assert_eq!(refused.err(), Some(Error::Crypto(CryptoError::Pkcs8)));
    let refused = Credential::from_pem(PARAMETERS.as_bytes());
    assert_eq!(
        refused.err(),
        Some(Error::NoPemBlock("certificate or private key"))
    );
}

#[test]
fn written_files_look_like_those_of_openssl() {
    let der = certificates_from_pem(CERTIFICATE.as_bytes()).unwrap();
    assert_eq!(certificate_to_pem(&der[0]), CERTIFICATE);
    let api_key = ApiKey::from_seed(&[0; 32]).unwrap();
    let expected = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\
        -----END PRIVATE KEY-----\n";
    assert_eq!(*api_key.to_pem(), expected);
}
