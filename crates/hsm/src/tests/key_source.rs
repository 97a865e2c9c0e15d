//! Where the key of the software HSM is found.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use keystead_crypto::Mode;

use crate::{Error, FoundKey, HsmKey, KeySource, KeyWarning};

const KEY: &str = "hsm:aes256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const CHACHA: &str = "hsm:chacha20:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn find_in(mode: Mode, variables: &[(&str, &str)]) -> Result<Option<FoundKey>, Error> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    HsmKey::find(
        &|name: &str| variables.get(name).map(|&it| it.to_owned()),
        mode,
    )
}

fn find(variables: &[(&str, &str)]) -> Result<Option<FoundKey>, Error> {
    find_in(Mode::Standard, variables)
}

/// The message, and what the file system said.
fn message(variables: &[(&str, &str)]) -> String {
    find(variables).err().unwrap().to_string()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_environment_holds_the_key() {
    assert!(find(&[]).unwrap().is_none());
    assert!(find(&[("MINIO_KMS_HSM_KEY", "")]).unwrap().is_none());
    let found = find(&[("MINIO_KMS_HSM_KEY", &format!(" {KEY}\n"))])
        .unwrap()
        .unwrap();
    assert_eq!(*found.key.to_text(), KEY);
    assert_eq!(found.source, KeySource::Variable("MINIO_KMS_HSM_KEY"));
    assert_eq!(found.warning, None);
}

#[test]
fn the_misspelled_variable_is_read_with_a_warning() {
    let found = find(&[("MINIO_HSM_KMS_KEY", KEY)]).unwrap().unwrap();
    assert_eq!(found.warning, Some(KeyWarning::MisspelledVariable));
    assert_eq!(
        found.warning.unwrap().to_string(),
        "the HSM key is read from MINIO_HSM_KMS_KEY: rename the variable to MINIO_KMS_HSM_KEY"
    );
    let both = [("MINIO_KMS_HSM_KEY", CHACHA), ("MINIO_HSM_KMS_KEY", KEY)];
    let found = find(&both).unwrap().unwrap();
    assert_eq!(*found.key.to_text(), CHACHA);
    assert_eq!(found.warning, None);
}

#[test]
fn a_file_or_a_credential_holds_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    fs::write(&file, format!("{KEY}\r\n")).unwrap();
    let by_file = ("MINIO_KMS_HSM_KEY_FILE", text(&file));
    let found = find(&[by_file]).unwrap().unwrap();
    assert_eq!(*found.key.to_text(), KEY);
    assert_eq!(found.source, KeySource::File(file.clone()));

    let credentials = ("CREDENTIALS_DIRECTORY", text(folder.path()));
    assert!(find(&[credentials]).unwrap().is_none());
    let credential = folder.path().join("minkms-hsm-key");
    fs::write(&credential, CHACHA).unwrap();
    let found = find(&[credentials]).unwrap().unwrap();
    assert_eq!(*found.key.to_text(), CHACHA);
    assert_eq!(found.source, KeySource::Credential(credential.clone()));

    let variable = ("MINIO_KMS_HSM_KEY", KEY);
    assert_eq!(
        message(&[variable, by_file]),
        format!(
            "the HSM key is set twice, by environment variable MINIO_KMS_HSM_KEY and by file {} \
             (MINIO_KMS_HSM_KEY_FILE): remove one of them",
            file.display()
        )
    );
    for two in [
        [variable, credentials],
        [by_file, credentials],
        [("MINIO_HSM_KMS_KEY", KEY), by_file],
    ] {
        assert!(matches!(find(&two), Err(Error::TwoKeys(..))));
    }
}

#[test]
fn credentials_out_of_reach_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = find(&[("CREDENTIALS_DIRECTORY", text(&file))]).err();
    let Some(Error::KeyFile { from, .. }) = error else {
        panic!("{error:?}");
    };
    assert_eq!(from, KeySource::Credential(file.join("minkms-hsm-key")));
}

#[test]
fn errors_say_where_the_key_came_from_and_never_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = find(&[("MINIO_KMS_HSM_KEY_FILE", text(&missing))])
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot read the HSM key from file {} (MINIO_KMS_HSM_KEY_FILE)",
            missing.display()
        )
    );
    assert!(std::error::Error::source(&error).is_some());

    let base64 = &KEY["hsm:aes256:".len()..];
    for (wrong, why) in [
        (
            base64,
            "it does not start with 'hsm:aes256:' or 'hsm:chacha20:'",
        ),
        (
            &KEY[..54],
            "what follows the prefix is not 32 bytes in padded base64",
        ),
    ] {
        let message = message(&[("MINIO_KMS_HSM_KEY", wrong)]);
        assert_eq!(
            message,
            format!("invalid HSM key in environment variable MINIO_KMS_HSM_KEY: {why}")
        );
        assert!(!message.contains("AAECAw"));
    }
}

#[test]
fn fips_refuses_chacha20() {
    let refused = find_in(Mode::Fips, &[("MINIO_KMS_HSM_KEY", CHACHA)]);
    let message = refused.err().unwrap().to_string();
    assert!(message.ends_with("use 'hsm:aes256:'"), "{message}");
    assert!(find_in(Mode::Fips, &[("MINIO_KMS_HSM_KEY", KEY)]).is_ok());
}
