//! Secrets in files, and secrets that must not show.

use std::{fs, path::Path};

use keystead_config::{
    Origin, SecretSource,
    kes::{AzureCredentials, KeyStoreConfig, Loaded, VaultAuth},
};
use keystead_crypto::Secret;

use super::{ADMIN, STORE, TLS, read};

fn with_password(tls: &str) -> Result<Loaded, String> {
    let text = format!("{ADMIN}tls: {{ key: k, cert: c, {tls} }}\n{STORE}");
    read(&text, &[]).map_err(|error| error.to_string())
}

#[test]
fn content_without_one_line_break() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    for (content, secret) in [
        ("secret", Some("secret")),
        ("secret\n", Some("secret")),
        ("secret\r\n", Some("secret")),
        ("secret\n\n", Some("secret\n")),
        (" secret ", Some(" secret ")),
        ("${NOT_A_VARIABLE}", Some("${NOT_A_VARIABLE}")),
        ("\n", None),
        ("", None),
    ] {
        fs::write(&path, content).unwrap();
        let loaded = with_password(&format!("password_file: {}", path.display())).unwrap();
        let password = loaded.config.tls.password;
        assert_eq!(password.as_ref().map(Secret::expose), secret, "{content:?}");
        assert!(loaded.files.contains(&path));
    }
}

#[test]
fn both_forms_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    fs::write(&path, "secret").unwrap();
    let file = path.display();
    let error = with_password(&format!("password: x, password_file: {file}")).unwrap_err();
    assert!(error.starts_with("both 'password' and 'password_file' are specified\n"));
    with_password(&format!("password: '', password_file: {file}")).unwrap();
    with_password("password: x, password_file: ''").unwrap();
}

#[test]
fn unreadable_files() {
    let error = with_password("password_file: /no/such/file").unwrap_err();
    assert_eq!(
        error,
        "open /no/such/file: no such file or directory\n  \
         at kes.yml:2:40, tls.password_file\n  \
         name a readable text file that holds nothing but the secret"
    );
}

/// It is read again at every login.
#[test]
fn the_client_secret_of_azure_stays_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "s3cr3t\n").unwrap();
    let text = format!(
        "{ADMIN}{TLS}keystore: {{ azure: {{ keyvault: {{ endpoint: e, credentials: {{ tenant_id: t, \
         client_id: c, client_secret_file: {} }} }} }} }}\n",
        path.display()
    );
    let loaded = read(&text, &[]).unwrap();
    assert_eq!(loaded.warnings, []);
    assert!(loaded.files.contains(&path));
    let KeyStoreConfig::AzureKeyVault(azure) = loaded.config.keystore else {
        panic!("another store");
    };
    let AzureCredentials::ClientSecret { client_secret, .. } = azure.credentials else {
        panic!("other credentials");
    };
    assert_eq!(client_secret, SecretSource::File(path));
}

/// Every other secret of a store has the same two forms.
#[test]
fn every_secret_has_a_file_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "s3cr3t\n").unwrap();
    let text = format!(
        "{ADMIN}{TLS}keystore: {{ gcp: {{ secretmanager: {{ project_id: p, credentials: {{ \
         client_email: m, client_id: c, private_key_id: i, SECRET }} }} }} }}\n"
    );
    let written = text.replace("SECRET", "private_key: s3cr3t");
    let in_file = text.replace("SECRET", &format!("private_key_file: {}", path.display()));
    let written = read(&written, &[]).unwrap();
    let in_file = read(&in_file, &[]).unwrap();
    assert_eq!(written.config, in_file.config);
    assert_eq!(in_file.warnings, []);
    assert!(in_file.files.iter().any(|file| file == &path));
    assert!(in_file.origins.values().any(|origin| matches!(
        origin,
        Origin::SecretFile { path: file, .. } if *file == path
    )));
    assert!(!format!("{written:?}").contains("s3cr3t"));
}

/// They are read again for every request.
#[test]
fn secrets_of_aws_stay_in_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "s3cr3t\n").unwrap();
    let file = path.display();
    let text = format!(
        "{ADMIN}{TLS}keystore: {{ aws: {{ secretsmanager: {{ endpoint: e, region: r, \
         credentials: {{ accesskey: a, secretkey_file: {file}, token_file: {file} }} }} }} }}\n",
    );
    let loaded = read(&text, &[]).unwrap();
    assert_eq!(loaded.warnings, []);
    assert!(loaded.files.contains(&path));
    let KeyStoreConfig::AwsSecretsManager(aws) = loaded.config.keystore else {
        panic!("another store");
    };
    let credentials = aws.credentials.unwrap();
    assert_eq!(credentials.secret_key, SecretSource::File(path.clone()));
    assert_eq!(credentials.token, Some(SecretSource::File(path)));
}

/// They are read again at every login.
#[test]
fn secrets_of_vault_stay_in_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "s3cr3t\n").unwrap();
    for (role, key) in [("id: i", "secret"), ("secret: s", "id")] {
        let text = format!(
            "{ADMIN}{TLS}keystore: {{ vault: {{ endpoint: e, approle: {{ {role}, {key}_file: {} }} }} }}\n",
            path.display()
        );
        let loaded = read(&text, &[]).unwrap();
        assert_eq!(loaded.warnings, []);
        let KeyStoreConfig::Vault(vault) = loaded.config.keystore else {
            panic!("another store");
        };
        let VaultAuth::AppRole { id, secret, .. } = vault.auth else {
            panic!("another method");
        };
        let source = if key == "id" { id } else { secret };
        assert_eq!(source, SecretSource::File(path.clone()));
    }
}

/// It is read again at every login, too.
#[test]
fn the_password_of_keycontrol_stays_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "s3cr3t\n").unwrap();
    let text = format!(
        "{ADMIN}{TLS}keystore: {{ entrust: {{ keycontrol: {{ endpoint: e, vault_id: v, box_id: b, \
         credentials: {{ username: u, password_file: {} }} }} }} }}\n",
        path.display()
    );
    let loaded = read(&text, &[]).unwrap();
    assert_eq!(loaded.warnings, []);
    let KeyStoreConfig::KeyControl(keycontrol) = loaded.config.keystore else {
        panic!("another store");
    };
    assert_eq!(keycontrol.password, SecretSource::File(path));
}

/// They are read again when they are no longer accepted.
#[test]
fn the_secrets_of_appliances_stay_in_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "s3cr3t\n").unwrap();
    let store = |section: &str| {
        let section = section.replace("SECRET", &path.display().to_string());
        let text = format!("{ADMIN}{TLS}keystore: {{ {section} }}\n");
        let loaded = read(&text, &[]).unwrap();
        assert_eq!(loaded.warnings, []);
        assert!(loaded.files.contains(&path));
        loaded.config.keystore
    };
    let KeyStoreConfig::KeySecure(keysecure) =
        store("gemalto: { keysecure: { endpoint: e, credentials: { token_file: SECRET } } }")
    else {
        panic!("another store");
    };
    assert_eq!(keysecure.token, SecretSource::File(path.clone()));
    let KeyStoreConfig::Fortanix(fortanix) =
        store("fortanix: { sdkms: { endpoint: e, credentials: { key_file: SECRET } } }")
    else {
        panic!("another store");
    };
    assert_eq!(fortanix.key, SecretSource::File(path.clone()));
}

#[test]
fn secrets_may_come_from_variables() {
    let text = format!(
        "{ADMIN}{TLS}keystore: {{ vault: {{ endpoint: e, approle: {{ id: '${{ID}}', secret: '${{SECRET}}' }} }} }}\n"
    );
    let loaded = read(&text, &[("ID", "i"), ("SECRET", "a: [b]*$c")]).unwrap();
    let KeyStoreConfig::Vault(vault) = loaded.config.keystore else {
        panic!("another store");
    };
    let VaultAuth::AppRole { secret, .. } = vault.auth else {
        panic!("another method");
    };
    assert_eq!(secret.read().unwrap().expose(), "a: [b]*$c");
}

#[test]
fn a_refused_file_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "s3cr3t").unwrap();
    let file = Path::display(&path);
    for tls in [
        format!("password: s3cr3t, password_file: {file}"),
        "password: s3cr3t, auth: x".to_owned(),
        "password: s3cr3t, password: s3cr3t".to_owned(),
        "password: [s3cr3t]".to_owned(),
        "password: { s3cr3t: }".to_owned(),
        "password: *s3cr3t".to_owned(),
        "password: @s3cr3t".to_owned(),
        "password: !s3cr3t!x s3cr3t".to_owned(),
        "password: \"s3cr3t\\q\"".to_owned(),
        "password: 's3cr3t' 's3cr3t'".to_owned(),
        "password: |s3cr3t".to_owned(),
        "password: %s3cr3t\u{7}".to_owned(),
    ] {
        let error = with_password(&tls).unwrap_err();
        assert!(!error.contains("s3cr3t"), "{error}");
    }
}
