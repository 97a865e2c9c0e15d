//! `kes key … --config`: keys without a server.
#![cfg(test)]

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use keystead_crypto::StoredKey;
use keystead_doubles::{Authority, KeyControl, KeyControlSettings, OpenBao, Role, Tls};
use keystead_tests::{Folder, Site};
use serde_json::Value;

/// Base64 of 32 bytes.
const KEY: &str = "OSMM+vkKUTCvQs9YL/CVMIMt43HFhkUpqJxTmGl6rYw=";

/// What a successful command prints.
fn output(folder: &Folder, line: &str) -> Result<String> {
    let done = folder.run(line)?;
    ensure!(done.code == 0 && done.stderr.is_empty(), "{line}: {done:?}");
    Ok(done.stdout)
}

/// The line of a command that fails.
fn error(folder: &Folder, line: &str) -> Result<String> {
    let done = folder.run(line)?;
    ensure!(done.code == 1 && done.stdout.is_empty(), "{line}: {done:?}");
    Ok(done.stderr)
}

#[test]
fn commands_say_the_same_with_and_without_a_server() -> Result<()> {
    let mut site = Site::new("")?;
    let import = format!("kes key import known {KEY} --config config.yml");
    assert_eq!(output(&site.folder, &import)?, "");
    let (server, _) = site.folder.serve("kes server --config config.yml")?;
    for line in [
        "kes key info known",
        "kes key info --json known",
        "kes key ls",
        "kes key ls --json",
        "kes key ls kn*",
        "kes key ls --json none",
    ] {
        let online = output(&site.folder, line)?;
        let offline = output(&site.folder, &format!("{line} --config config.yml"))?;
        assert_eq!(offline, online, "{line}");
    }
    for line in [
        "kes key info absent",
        "kes key rm absent",
        "kes key create known",
        "kes key create -name",
        "kes key create a/b",
        "kes key info a/b",
        "kes key rm a/b",
        "kes key ls a/b",
        &format!("kes key import known {KEY}"),
        "kes key import short c2hvcnQ=",
        "kes key import bad !",
        "kes key import",
        "kes key info",
        "kes key rm",
    ] {
        let online = error(&site.folder, line)?;
        let offline = error(&site.folder, &format!("{line} --config config.yml"))?;
        assert_eq!(offline, online, "{line}");
    }
    for (line, printed) in [
        (
            "kes key create --json one two",
            "{\"name\":\"one\",\"status\":\"created\"}\n{\"name\":\"two\",\"status\":\"created\"}\n",
        ),
        (
            "kes key rm --json one",
            "{\"name\":\"one\",\"status\":\"deleted\"}\n",
        ),
    ] {
        let line = format!("{line} --config config.yml");
        assert_eq!(output(&site.folder, &line)?, printed);
    }
    assert_eq!(
        output(&site.folder, "kes key rm -f two --config config.yml")?,
        ""
    );
    assert_eq!(output(&site.folder, "kes key ls")?, "Key\nknown\n");
    server.stop()?;
    Ok(())
}

#[test]
fn values_are_those_that_a_server_writes() -> Result<()> {
    let mut site = Site::new("")?;
    for line in [
        &format!("kes key import imported-0 {KEY} --config config.yml"),
        &format!("kes key create imported-1 {KEY} --config config.yml"),
        "kes key create created-0 --config config.yml",
    ] {
        output(&site.folder, line)?;
    }
    let (server, _) = site.folder.serve("kes server --config config.yml")?;
    output(&site.folder, &format!("kes key import imported-2 {KEY}"))?;
    output(&site.folder, "kes key create created-1")?;
    let file = |name: &str| site.folder.read(&format!("keys/{name}"));
    let stored =
        |name: &str| -> Result<StoredKey> { Ok(StoredKey::decode(file(name)?.as_bytes())?) };
    let server_made = stored("imported-2")?;
    for name in ["imported-0", "imported-1", "created-0", "created-1"] {
        let key = stored(name)?;
        assert_eq!(key.cipher(), server_made.cipher());
        assert_eq!(key.created_by(), site.admin);
        assert!(key.hmac(b"message").is_ok());
        assert_eq!(key.id() == server_made.id(), name.starts_with("imported"));
        // The same fields, of the same lengths but for the time.
        let (own, other) = (file(name)?.len(), file("imported-2")?.len());
        assert!(own.abs_diff(other) <= 4, "{name}: {own}, {other}");
    }

    // What one key seals, the same key opens.
    let sealed = output(&site.folder, "kes key encrypt imported-2 hello")?;
    let sealed: Value = serde_json::from_str(&sealed)?;
    let ciphertext = sealed["ciphertext"].as_str().context("no ciphertext")?;
    for name in ["imported-0", "imported-1"] {
        let opened = output(
            &site.folder,
            &format!("kes key decrypt {name} {ciphertext}"),
        )?;
        assert_eq!(opened, "{\"plaintext\":\"aGVsbG8=\"}");
    }
    server.stop()?;
    Ok(())
}

#[test]
fn a_server_sees_new_keys_at_once_and_loses_deleted_ones_in_time() -> Result<()> {
    let mut site = Site::new("cache: { expiry: { any: 200ms, unused: 100ms } }\n")?;
    let (server, _) = site.folder.serve("kes server --config config.yml")?;
    output(&site.folder, "kes key create key --config config.yml")?;
    output(&site.folder, "kes key dek key")?;
    output(&site.folder, "kes key rm key --config config.yml")?;
    let deleted = Instant::now();
    while site.folder.run("kes key dek key")?.code == 0 {
        ensure!(deleted.elapsed() < Duration::from_secs(30), "still cached");
    }
    server.stop()?;
    Ok(())
}

#[test]
fn the_creator_is_whoever_the_environment_names() -> Result<()> {
    let site = Site::new("")?;
    let mut folder = Folder::new()?;
    for file in ["config.yml", "private.key", "public.crt", "client.crt"] {
        fs::copy(site.folder.path().join(file), folder.path().join(file))?;
    }
    let owner = |folder: &Folder, name: &str| -> Result<Value> {
        output(
            folder,
            &format!("kes key create {name} --config config.yml"),
        )?;
        let info = format!("kes key info --json {name} --config config.yml");
        let info: Value = serde_json::from_str(&output(folder, &info)?)?;
        Ok(info["created_by"].clone())
    };
    assert_eq!(owner(&folder, "nobodys")?, Value::Null);
    let info = output(&folder, "kes key info nobodys --config config.yml")?;
    assert!(!info.contains("Owner"), "{info}");

    let api_key = "kes:v1:APvbt/zbiewXNB+EwciOT+I21peq0odFYCwkJX8mMCxM";
    folder.export("MINIO_KES_API_KEY", api_key);
    let identity = "1d1f89ad528a3bbb8fd64252d443c993f5a4d679b074d5bad49785e02ec38199";
    assert_eq!(owner(&folder, "api-key")?, identity);

    folder.export("MINIO_KES_API_KEY", "");
    folder.export("KES_CLIENT_CERT", "client.crt");
    let create = "kes key create half --config config.yml";
    let half = error(&folder, create)?;
    assert!(half.contains("no private key file specified"), "{half}");
    folder.export("KES_CLIENT_KEY", "client.key");
    assert_eq!(owner(&folder, "certificate")?, site.admin.as_str());
    Ok(())
}

#[test]
fn wrong_uses_are_refused() -> Result<()> {
    let site = Site::new("")?;
    let refused = |line: &str| error(&site.folder, line);
    assert_eq!(
        refused("kes key ls -k --config config.yml")?,
        "Error: cannot use '-k / --insecure' and '--config' flag\n"
    );
    let missing = refused("kes key ls --config none.yml")?;
    assert!(missing.starts_with("Error: open none.yml: "), "{missing}");
    site.folder.write("config.yml", "keystore: {}\n")?;
    let invalid = refused("kes key rm key --config config.yml")?;
    assert!(invalid.contains("\n  at config.yml:"), "{invalid}");
    Ok(())
}

/// Imports, lists, describes and deletes a key; gives all that was printed.
fn round(folder: &Folder) -> Result<String> {
    let mut printed = String::new();
    for (line, expected) in [
        (format!("kes key import my-key {KEY}"), ""),
        ("kes key create other".to_owned(), ""),
        ("kes key ls".to_owned(), "Key\nmy-key\nother\n"),
        ("kes key ls my".to_owned(), "Key\nmy-key\n"),
        ("kes key info my-key".to_owned(), "Name        my-key\n"),
        ("kes key rm my-key other".to_owned(), ""),
        ("kes key ls --json".to_owned(), "[]\n"),
    ] {
        let done = folder.run(&format!("{line} --config config.yml"))?;
        ensure!(done.code == 0, "{line}: {done:?}");
        ensure!(done.stdout.starts_with(expected), "{line}: {done:?}");
        printed += &done.stdout;
        printed += &done.stderr;
    }
    let absent = folder.run("kes key info my-key --config config.yml")?;
    ensure!(
        absent
            .stderr
            .ends_with("Error: failed to describe keys: key does not exist\n"),
        "{absent:?}"
    );
    Ok(printed)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_in_openbao() -> Result<()> {
    let Some(bao) = OpenBao::development().await? else {
        return Ok(());
    };
    bao.mount("").await?;
    let role = Role {
        namespace: String::new(),
        life: ("token_period", 60),
        policy: "path \"kv/data/*\" { capabilities = [\"create\", \"read\"] }\n\
                 path \"kv/metadata/*\" { capabilities = [\"list\", \"delete\"] }\n\
                 path \"transit/encrypt/kes\" { capabilities = [\"update\"] }\n\
                 path \"transit/decrypt/kes\" { capabilities = [\"update\"] }\n"
            .to_owned(),
    };
    let role_id = bao.role("kes-role", &role).await?;
    let secret_id = bao.secret("", "kes-role").await?;
    for transit in ["", "    transit: { key: kes }\n"] {
        let site = Site::new("")?;
        site.keep_keys_in(&format!(
            "keystore:\n  vault:\n    endpoint: {}\n    version: v2\n    prefix: keys\n{transit}    \
             approle: {{ id: {role_id}, secret: {secret_id} }}\n",
            bao.url(),
        ))?;
        let printed = round(&site.folder)?;
        assert!(!printed.contains(&secret_id), "{printed}");
    }

    // What the store says is told, because there is no log to look into.
    let site = Site::new("")?;
    site.keep_keys_in(&format!(
        "keystore:\n  vault:\n    endpoint: {}\n    version: v1\n    engine: kv1\n    \
         approle: {{ id: {role_id}, secret: {secret_id} }}\n",
        bao.url(),
    ))?;
    let denied = site.folder.run("kes key info key --config config.yml")?;
    assert_eq!(denied.code, 1);
    let message = "Error: failed to describe keys: failed to read key: key store denied access: \
                   403: 1 error occurred: * permission denied\n";
    assert!(denied.stderr.ends_with(message), "{denied:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_in_keycontrol() -> Result<()> {
    let settings = KeyControlSettings::default();
    let appliance = KeyControl::new(settings.clone());
    let authority = Authority::new()?;
    let node = appliance.node(1, &authority, Tls::On).await?;
    let site = Site::new("")?;
    site.keep_keys_in(&format!(
        "keystore:\n  entrust:\n    keycontrol:\n      endpoint: {}\n      vault_id: {}\n      \
         box_id: {}\n      credentials: {{ username: {}, password: '{}' }}\n      \
         tls: {{ ca: {} }}\n",
        node.url(),
        settings.vault_id,
        settings.box_name,
        settings.username,
        settings.password,
        authority.file().display(),
    ))?;
    let printed = round(&site.folder)?;
    assert!(!printed.contains(&settings.password), "{printed}");
    Ok(())
}
