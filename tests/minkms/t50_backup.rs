//! Backups, and what they can be restored to.

use std::fs;

use anyhow::{Context, Result, ensure};
use keystead_tests::KmsSite;

const OTHER: &str = "hsm:aes256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A server with a key and something that it has sealed.
fn used() -> Result<(KmsSite, keystead_tests::Process, String)> {
    let mut site = KmsSite::new()?;
    let server = site.start()?;
    site.run("minkms add-enclave demo")?;
    site.run("minkms add-key -e demo my-key")?;
    site.run("minkms add-key -e demo my-key --version")?;
    let made = site.run("minkms keygen --json -e demo my-key")?;
    let ciphertext = made.split('"').rev().nth(1).context("a ciphertext")?;
    assert!(ciphertext.starts_with("v2:"), "{ciphertext}");
    let ciphertext = ciphertext.to_owned();
    Ok((site, server, ciphertext))
}

#[test]
fn a_new_server_takes_over_after_a_total_loss() -> Result<()> {
    let (mut site, server, ciphertext) = used()?;
    for (compress, file) in [("gzip", "a.db.gzip"), ("off", "a.db")] {
        site.run(&format!("minkms backup --compress {compress} {file}"))?;
    }
    server.stop()?;
    fs::remove_dir_all(site.folder.path().join("data"))?;
    for file in ["a.db.gzip", "a.db"] {
        let folder = format!("data-of-{file}");
        let server = site.start_with(&folder)?;
        site.run(&format!("minkms restore {file}"))?;
        site.run(&format!("minkms decrypt -e demo my-key {ciphertext}"))?;
        let versions = site.run("minkms ls-key -e demo --versions my-key")?;
        assert_eq!(versions.lines().count(), 3, "{versions}");
        server.stop()?;
        // It is there for good.
        let server = site.start_with(&folder)?;
        site.run(&format!("minkms decrypt -e demo my-key {ciphertext}"))?;
        server.stop()?;
    }
    Ok(())
}

#[test]
fn files_have_the_name_of_the_product_and_are_not_overwritten() -> Result<()> {
    let (site, server, _) = used()?;
    let name = site.run("minkms backup")?;
    let name = name.trim();
    ensure!(name.len() == "YYYYMMDD_HHMMSS_kms.db.gzip".len(), "{name}");
    ensure!(name.ends_with("_kms.db.gzip"), "{name}");
    let complaint = site.refused(&format!("minkms backup {name}"))?;
    assert_eq!(
        complaint,
        format!("Error: '{name}' exists. Use '--force' to overwrite it\n")
    );
    site.run(&format!("minkms backup --force {name}"))?;
    // Nothing half-written stays behind.
    let entries: Vec<_> = fs::read_dir(site.folder.path())?.collect();
    let entries = entries
        .into_iter()
        .map(|entry| anyhow::Ok(entry?.file_name()));
    let entries: Vec<_> = entries.collect::<Result<_>>()?;
    ensure!(
        !entries
            .iter()
            .any(|name| name.to_string_lossy().contains("part")),
        "{entries:?}"
    );
    server.stop()?;
    Ok(())
}

#[test]
fn a_server_in_use_is_replaced_only_by_force() -> Result<()> {
    let (site, server, ciphertext) = used()?;
    site.run("minkms backup a.db")?;
    site.run("minkms add-enclave later")?;
    let complaint = site.refused("minkms restore a.db")?;
    assert!(complaint.contains("the server is not empty"), "{complaint}");
    site.run("minkms restore --force a.db")?;
    assert!(!site.run("minkms ls-enclave")?.contains("later"));
    site.run(&format!("minkms decrypt -e demo my-key {ciphertext}"))?;
    server.stop()?;
    Ok(())
}

#[test]
fn a_backup_needs_its_hsm_key_and_all_its_bytes() -> Result<()> {
    let (mut site, server, _) = used()?;
    site.run("minkms backup --compress off a.db")?;
    server.stop()?;
    let whole = fs::read(site.folder.path().join("a.db"))?;
    let cut = whole.get(..whole.len() - 1).context("a byte")?;
    fs::write(site.folder.path().join("cut.db"), cut)?;
    let mut flipped = whole.clone();
    if let Some(last) = flipped.last_mut() {
        *last ^= 1;
    }
    fs::write(site.folder.path().join("flipped.db"), flipped)?;
    fs::write(site.folder.path().join("none.db"), b"something else")?;

    let server = site.start_with("fresh")?;
    for file in ["cut.db", "flipped.db", "none.db"] {
        site.refused(&format!("minkms restore {file}"))?;
        assert_eq!(site.run("minkms ls-enclave")?, "", "{file}");
    }
    server.stop()?;

    // Another key opens nothing, and the answer says which HSM would.
    site.folder.export("MINIO_KMS_HSM_KEY", OTHER);
    let root = site
        .folder
        .run(&format!("minkms identity --json {OTHER}"))?;
    let root = root.stdout.split('"').nth(3).context("a key")?.to_owned();
    site.folder.export("MINIO_KMS_API_KEY", root);
    let server = site.start_with("foreign")?;
    let complaint = site.refused("minkms restore a.db")?;
    assert!(complaint.contains("hsm:minio:soft"), "{complaint}");
    assert_eq!(site.run("minkms ls-enclave")?, "");
    server.stop()?;
    Ok(())
}
