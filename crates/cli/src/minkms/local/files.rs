//! Private keys and certificates as files.

use std::fs::{OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use keystead_crypto::SystemRandom;
use keystead_identity::{CertificateTemplate, KmsApiKey, certificate_to_pem};

const KEY_MODE: u32 = 0o600;
const CERTIFICATE_MODE: u32 = 0o644;

/// How long a certificate is valid.
const VALIDITY: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);

/// Writes the private key and a certificate for it, each where that is wanted. Files that
/// exist are left alone.
pub(super) fn write(key: &KmsApiKey, key_file: Option<&Path>, cert: Option<&Path>) -> Result<()> {
    if let Some(file) = key_file {
        write_new(file, key.to_pem()?.as_bytes(), KEY_MODE)?;
    }
    if let Some(file) = cert {
        let now = Timestamp::now();
        let template = CertificateTemplate {
            subject: None,
            dns: Vec::new(),
            ips: Vec::new(),
            server: false,
            not_before: now,
            not_after: now.checked_add(VALIDITY)?,
        };
        let certificate = key.certificate(&template, &SystemRandom)?;
        let pem = certificate_to_pem(&certificate);
        write_new(file, pem.as_bytes(), CERTIFICATE_MODE)?;
    }
    Ok(())
}

/// Writes a file that has `mode` from its first byte on.
fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let write = || {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().with_context(|| format!("failed to write '{}'", path.display()))
}
