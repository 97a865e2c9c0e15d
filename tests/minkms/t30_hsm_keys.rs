//! Keys of the software HSM: the wrong one, none, another one, and a new root key.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, ensure};
use keystead_tests::KmsSite;

const OTHER: &str = "hsm:aes256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[test]
fn a_folder_does_not_open_with_another_key() -> Result<()> {
    let mut site = KmsSite::new()?;
    let server = site.start()?;
    site.run("minkms add-enclave demo")?;
    server.stop()?;
    site.folder.export("MINIO_KMS_HSM_KEY", OTHER);
    let complaint = site.does_not_start("data")?;
    // It names the HSM and what to do.
    assert!(complaint.contains("hsm:minio:soft"), "{complaint}");
    assert!(complaint.contains("put back the HSM key"), "{complaint}");
    let hsm_key = site.hsm_key.clone();
    site.folder.export("MINIO_KMS_HSM_KEY", hsm_key);
    let server = site.start()?;
    assert!(site.run("minkms ls-enclave")?.contains("demo"));
    server.stop()?;
    Ok(())
}

#[test]
fn the_key_may_be_in_a_file_or_a_credential() -> Result<()> {
    let mut site = KmsSite::new()?;
    site.start()?.stop()?;
    let hsm_key = format!("{}\n", site.hsm_key);
    site.folder.write("minkms-hsm-key", &hsm_key)?;
    site.folder
        .export("MINIO_KMS_HSM_KEY_FILE", "minkms-hsm-key");
    let complaint = site.does_not_start("data")?;
    assert!(complaint.contains("set twice"), "{complaint}");
    site.folder.export("MINIO_KMS_HSM_KEY", "");
    site.start()?.stop()?;
    site.folder.export("MINIO_KMS_HSM_KEY_FILE", "");
    let folder = site.folder.path().to_str().context("a path")?.to_owned();
    site.folder.export("CREDENTIALS_DIRECTORY", folder);
    site.start()?.stop()?;
    Ok(())
}

#[test]
fn the_misspelt_variable_works_with_a_warning() -> Result<()> {
    let mut site = KmsSite::new()?;
    site.folder.export("MINIO_KMS_HSM_KEY", "");
    let hsm_key = site.hsm_key.clone();
    site.folder.export("MINIO_HSM_KMS_KEY", hsm_key);
    let server = site.start()?;
    server.complained("rename the variable to MINIO_KMS_HSM_KEY")?;
    server.stop()?;
    Ok(())
}

#[test]
fn a_new_root_key_opens_what_the_old_one_sealed() -> Result<()> {
    let mut site = KmsSite::new()?;
    let server = site.start()?;
    site.run("minkms add-enclave demo")?;
    site.run("minkms add-key -e demo before")?;
    let made = site.run("minkms keygen --json -e demo before")?;
    let ciphertext = made
        .split('"')
        .rev()
        .nth(1)
        .context("a ciphertext")?
        .to_owned();
    let first = site.run("minkms rotate-root --json")?;
    let second = site.run("minkms rotate-root --json")?;
    ensure!(
        first != second && first.contains("rek_id"),
        "{first}{second}"
    );
    site.run("minkms add-key -e demo after")?;
    server.stop()?;
    let server = site.start()?;
    site.run(&format!("minkms decrypt -e demo before {ciphertext}"))?;
    site.run("minkms keygen -e demo after")?;
    server.stop()?;
    Ok(())
}

#[test]
fn hsms_are_listed_sealed_anew_and_kept() -> Result<()> {
    let mut site = KmsSite::new()?;
    let server = site.start()?;
    let listed = site.run("minkms ls-hsm --json")?;
    assert_eq!(
        listed,
        "{\"name\":\"hsm:minio:soft\",\"sealed\":[0],\"configured\":[0]}\n"
    );
    let complaint = site.refused("minkms add-hsm hsm:minio:soft")?;
    assert_eq!(complaint, "Error: hsm already exists\n");
    site.run("minkms add-hsm hsm:minio:soft --overwrite")?;
    let complaint = site.refused("minkms rm-hsm hsm:minio:soft")?;
    assert_eq!(complaint, "Error: cannot remove the last usable hsm\n");
    let complaint = site.refused("minkms add-hsm hsm:pkcs11")?;
    assert_eq!(complaint, "Error: hsm does not exist\n");
    server.stop()?;
    Ok(())
}

#[test]
fn other_hsms_are_announced_for_later() -> Result<()> {
    let site = KmsSite::new()?;
    let made = site
        .folder
        .run("kes identity new --key a.key --cert a.crt --ip 127.0.0.1")?;
    ensure!(made.code == 0, "{}", made.stderr);
    site.folder.write(
        "config.yaml",
        "version: v1\n\
         tls: { certs: [ { key: a.key, cert: a.crt } ] }\n\
         hsm: { pkcs11: { library: /lib/p.so, token: t, pin: '1', key: k } }\n",
    )?;
    let complaint = site.does_not_start("data --config config.yaml")?;
    assert!(
        complaint.starts_with("Error: hsm.pkcs11: this kind of HSM is not built yet"),
        "{complaint}"
    );
    Ok(())
}

#[test]
fn only_the_owner_may_read_the_folder() -> Result<()> {
    let mut site = KmsSite::new()?;
    site.start()?.stop()?;
    let data = site.folder.path().join("data");
    let mode =
        |path: &std::path::Path| anyhow::Ok(fs::metadata(path)?.permissions().mode() & 0o777);
    assert_eq!(mode(&data)?, 0o700);
    for entry in fs::read_dir(&data)? {
        let path = entry?.path();
        assert_eq!(mode(&path)? & 0o077, 0, "{}", path.display());
    }
    Ok(())
}
