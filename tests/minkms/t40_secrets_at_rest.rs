//! Nothing on disk can be read without the key of the HSM: neither keys nor names.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use keystead_crypto::{decode_base64, hex};
use keystead_tests::KmsSite;

/// 32 bytes that no other data contains.
const IMPORTED: &str = "OSMM+vkKUTCvQs9YL/CVMIMt43HFhkUpqJxTmGl6rYw=";

const NAMES: [&str; 4] = [
    "enclave-of-a-tenant",
    "key-of-a-tenant",
    "imported-key-of-a-tenant",
    "policy-of-a-tenant",
];

#[test]
fn no_name_and_no_key_is_on_disk_or_in_a_backup() -> Result<()> {
    let mut site = KmsSite::new()?;
    let server = site.start()?;
    let [enclave, key, imported, policy] = NAMES;
    site.folder.write(
        "policy.json",
        r#"{"allow":{"KEY:GENERATE":"pattern-of-a-tenant*"}}"#,
    )?;
    let user = site.folder.run("minkms identity --json")?.stdout;
    let user = user.split('"').nth(7).unwrap_or_default().to_owned();
    for line in [
        format!("minkms add-enclave {enclave}"),
        format!("minkms add-key -e {enclave} {key}"),
        format!("minkms add-key -e {enclave} {imported} --import {IMPORTED}"),
        format!("minkms add-policy -e {enclave} {policy} policy.json"),
        format!("minkms add-identity -e {enclave} --tag team=tag-of-a-tenant {user}"),
        format!("minkms set-policy -e {enclave} {policy} {user}"),
        format!("minkms keygen -e {enclave} {key}"),
        "minkms backup --compress off plain.db".to_owned(),
        "minkms backup packed.db".to_owned(),
    ] {
        site.run(&line)?;
    }
    let bytes = decode_base64(IMPORTED.as_bytes())?;
    let hsm_key = site.hsm_key.trim_start_matches("hsm:aes256:").to_owned();
    let mut secrets: Vec<Vec<u8>> = NAMES.iter().map(|name| name.as_bytes().to_vec()).collect();
    secrets.extend([
        bytes.to_vec(),
        hex(&bytes).into_bytes(),
        IMPORTED.into(),
        b"pattern-of-a-tenant".to_vec(),
        b"tag-of-a-tenant".to_vec(),
        user.trim_start_matches("h1:").into(),
        hsm_key.clone().into(),
        decode_base64(hsm_key.as_bytes())?.to_vec(),
    ]);
    // While it runs, after it was stopped, and in both backups.
    let mut files = scan(&site.folder.path().join("data"), &secrets)?;
    server.stop()?;
    files += scan(&site.folder.path().join("data"), &secrets)?;
    for name in ["plain.db", "packed.db"] {
        check(&site.folder.path().join(name), &secrets)?;
    }
    ensure!(files >= 4, "only {files} files");
    Ok(())
}

fn scan(folder: &Path, secrets: &[Vec<u8>]) -> Result<usize> {
    let mut files = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files += scan(&path, secrets)?;
        } else {
            check(&path, secrets)?;
            files += 1;
        }
    }
    Ok(files)
}

fn check(path: &Path, secrets: &[Vec<u8>]) -> Result<()> {
    let content = fs::read(path)?;
    for secret in secrets {
        let found = content.windows(secret.len()).any(|window| window == secret);
        let text = String::from_utf8_lossy(secret);
        ensure!(!found, "{} contains {text}", path.display());
    }
    Ok(())
}
