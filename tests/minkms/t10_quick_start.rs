//! From nothing to a data key, as the quick start has it.

use anyhow::{Context, Result, ensure};
use keystead_tests::{Finished, Folder};

/// Runs a command that must succeed without a complaint.
fn run(folder: &Folder, line: &str) -> Result<String> {
    let Finished {
        code,
        stdout,
        stderr,
    } = folder.run(line)?;
    ensure!((code, &*stderr) == (0, ""), "{line}: {code} {stderr}");
    Ok(stdout)
}

/// The value in the line of a description that begins with `label`.
fn value<'a>(text: &'a str, label: &str) -> Result<&'a str> {
    let lines = text.lines();
    let mut values = lines.filter_map(|line| line.trim_start().strip_prefix(label));
    let value = values
        .next()
        .with_context(|| format!("no {label} in {text}"))?;
    Ok(value.trim())
}

#[test]
fn from_nothing_to_a_decrypted_data_key() -> Result<()> {
    let mut folder = Folder::new()?;
    let key = run(&folder, "minkms --soft-hsm")?;
    assert!(key.starts_with("hsm:aes256:") && key.len() == 56, "{key}");
    folder.export("MINIO_KMS_HSM_KEY", key.trim());
    let (server, banner) = folder.serve("minkms server ./data --address 127.0.0.1:0")?;
    let api_key = value(&banner, "API Key")?;
    assert!(api_key.starts_with("k1:"), "{banner}");
    assert_eq!(value(&banner, "HSM")?, "hsm:minio:soft");
    assert!(
        value(&banner, "Node 0:")?.ends_with("● this server"),
        "{banner}"
    );
    folder.export("MINIO_KMS_API_KEY", api_key);

    let stat = run(&folder, "minkms stat -k")?;
    assert_eq!(value(&stat, "State")?, "Leader");
    assert_eq!(value(&stat, "HSMs")?, "1 HSM: hsm:minio:soft");
    run(&folder, "minkms add-enclave -k demo")?;
    let identity = run(&folder, "minkms add-identity -k --enclave demo --admin")?;
    run(&folder, "minkms add-key -k -e demo first-key")?;

    // The admin works in the enclave with the key that was shown.
    let admin = identity.lines().find(|line| line.trim().starts_with("k1:"));
    folder.export("MINIO_KMS_API_KEY", admin.context("no API key")?.trim());
    folder.export("MINIO_KMS_ENCLAVE", "demo");
    let made = run(&folder, "minkms keygen -k first-key")?;
    let (plaintext, ciphertext) = (value(&made, "Plaintext")?, value(&made, "Ciphertext")?);
    assert!(ciphertext.starts_with("v1:"), "{made}");
    let opened = run(
        &folder,
        &format!("minkms decrypt -k --json first-key {ciphertext}"),
    )?;
    assert_eq!(opened, format!("{{\"plaintext\":\"{plaintext}\"}}\n"));
    let goodbye = server.stop()?;
    assert!(goodbye.contains("Goodbye"), "{goodbye}");
    Ok(())
}

#[test]
fn the_api_key_is_shown_once_and_can_be_computed_again() -> Result<()> {
    let mut folder = Folder::new()?;
    let key = run(&folder, "minkms --soft-hsm")?;
    folder.export("MINIO_KMS_HSM_KEY", key.trim());
    let (server, banner) = folder.serve("minkms server data --address 127.0.0.1:0")?;
    let (api_key, root) = (value(&banner, "API Key")?, value(&banner, "Root")?);
    server.stop()?;
    let (server, again) = folder.serve("minkms server data --address 127.0.0.1:0")?;
    assert!(!again.contains(api_key), "{again}");
    assert_eq!(value(&again, "Root")?, root);
    assert_eq!(
        value(&again, "API Key")?,
        "printed by 'minkms identity $MINIO_KMS_HSM_KEY'"
    );
    server.stop()?;
    let computed = run(&folder, &format!("minkms identity {}", key.trim()))?;
    assert!(
        computed.contains(api_key) && computed.contains(root),
        "{computed}"
    );
    Ok(())
}

#[test]
fn development_mode_needs_nothing_and_leaves_nothing() -> Result<()> {
    let mut folder = Folder::new()?;
    let temporary = folder.path().join("tmp");
    std::fs::create_dir(&temporary)?;
    folder.export("TMPDIR", temporary.to_str().context("a path")?);
    let (server, banner) = folder.serve("minkms server --dev --address 127.0.0.1:0")?;
    folder.export("MINIO_KMS_API_KEY", value(&banner, "API Key")?);
    run(&folder, "minkms add-enclave -k demo")?;
    assert_eq!(std::fs::read_dir(&temporary)?.count(), 1);
    server.stop()?;
    assert_eq!(std::fs::read_dir(&temporary)?.count(), 0);
    Ok(())
}
