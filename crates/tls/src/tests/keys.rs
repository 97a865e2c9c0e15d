//! Private keys in files.

use std::cell::Cell;
use std::fs;
use std::io;

use keystead_crypto::{Secret, SystemRandom};
use tempfile::{TempDir, tempdir};

use super::certificates::Made;
use crate::{ClientCredential, Error, ServerSettings, encrypt_private_key, server};

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// A certificate file and a key file with the given text.
fn files(made: &Made, key: &str) -> (TempDir, ServerSettings) {
    let folder = tempdir().unwrap();
    let settings = made.server(folder.path());
    fs::write(&settings.key, key).unwrap();
    (folder, settings)
}

fn load(made: &Made, key: &str, password: Option<&str>) -> Result<(), Error> {
    let (_folder, mut settings) = files(made, key);
    settings.password = password.map(secret);
    server(&settings).map(|_| ())
}

#[test]
fn keys_are_found_between_certificates() {
    let made = Made::p256();
    let text = format!("{}{}", made.certificate_pem(), made.key.serialize_pem());
    load(&made, &text, None).unwrap();
}

#[test]
fn foreign_blocks_are_errors() {
    let made = Made::p256();
    let foreign = pem::encode(&pem::Pem::new("X509 CRL", *b"0"));
    let text = foreign.clone() + &made.key.serialize_pem();
    let error = load(&made, &text, None).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("unexpected PEM block 'X509 CRL'"),
        "{error}"
    );

    let (_folder, settings) = files(&made, &made.key.serialize_pem());
    fs::write(&settings.certificate, made.certificate_pem() + &foreign).unwrap();
    assert!(
        matches!(server(&settings), Err(Error::Invalid { path, .. }) if path == settings.certificate)
    );
}

#[test]
fn missing_files_are_named() {
    let folder = tempdir().unwrap();
    let mut settings = Made::p256().server(folder.path());
    settings.certificate = "no-such.crt".into();
    let error = server(&settings).map(|_| ()).unwrap_err();
    assert!(
        error.to_string().starts_with("open no-such.crt: "),
        "{error}"
    );
}

#[test]
fn a_key_belongs_to_its_certificate() {
    let (made, other) = (Made::p256(), Made::p256());
    let error = load(&made, &other.key.serialize_pem(), None).unwrap_err();
    assert!(matches!(error, Error::KeyMismatch));
}

#[test]
fn keys_under_a_password() {
    let made = Made::p256();
    let der = made.key.serialize_der();
    let text = encrypt_private_key(&der, &secret("pass word"), &SystemRandom).unwrap();
    assert!(text.starts_with(
        "-----BEGIN PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,"
    ));
    load(&made, &text, Some("pass word")).unwrap();
    assert!(matches!(
        load(&made, &text, None),
        Err(Error::PasswordRequired)
    ));
    assert!(matches!(
        load(&made, &text, Some("")),
        Err(Error::PasswordRequired)
    ));
    for wrong in 0..300 {
        let wrong = load(&made, &text, Some(&wrong.to_string()));
        assert!(!matches!(wrong, Ok(()) | Err(Error::PasswordRequired)));
    }
}

#[test]
fn unknown_ciphers_are_named() {
    let made = Made::p256();
    let text = encrypt_private_key(&made.key.serialize_der(), &secret("p"), &SystemRandom).unwrap();
    for (from, to) in [
        ("AES-256-CBC", "CAMELLIA-256-CBC"),
        ("AES-256-CBC,", "AES-256-CBC,00"),
    ] {
        let error = load(&made, &text.replace(from, to), Some("p")).unwrap_err();
        assert!(matches!(error, Error::UnknownKeyEncryption(_)), "{error}");
    }
}

#[test]
fn clients_are_asked_for_a_password_only_if_there_is_one() {
    let folder = tempdir().unwrap();
    let made = Made::p256();
    let (certificate, key) = made.write(folder.path(), "client");
    let asked = Cell::new(0);
    let password = || {
        asked.set(asked.get() + 1);
        Ok(secret("p"))
    };
    ClientCredential::from_files(&certificate, &key, &password).unwrap();
    assert_eq!(asked.get(), 0);
    let der = made.key.serialize_der();
    fs::write(
        &key,
        encrypt_private_key(&der, &secret("p"), &SystemRandom).unwrap(),
    )
    .unwrap();
    ClientCredential::from_files(&certificate, &key, &password).unwrap();
    assert_eq!(asked.get(), 1);
    let refused =
        ClientCredential::from_files(&certificate, &key, &|| Err(io::Error::other("no terminal")));
    let refused = refused.map(|_| ()).unwrap_err();
    assert_eq!(refused.to_string(), "reading password: no terminal");
}
