//! `kes identity new`: an API key, and its certificate and private key as files.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use keystead_config::GoDuration;
use keystead_crypto::SystemRandom;
use keystead_identity::{ApiKey, CertificateTemplate, Identity, certificate_to_pem};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::output::{self, Output};
use crate::password;
use crate::style::BOLD;

const KEY_MODE: u32 = 0o600;
const CERTIFICATE_MODE: u32 = 0o644;
const DEFAULT_EXPIRY: &str = "720h";

#[derive(Args, Debug)]
pub(crate) struct NewArgs {
    /// Write the private key to this file
    #[arg(long, value_name = "PATH")]
    key: Option<PathBuf>,

    /// Write the certificate to this file
    #[arg(long, value_name = "PATH")]
    cert: Option<PathBuf>,

    /// Add an IP address to the certificate
    #[arg(long, value_name = "IP", value_delimiter = ',', value_parser = address)]
    ip: Vec<IpAddr>,

    /// Add a DNS name to the certificate
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    dns: Vec<String>,

    /// How long the certificate is valid [default: 720h]
    #[arg(long, value_name = "DURATION")]
    expiry: Option<GoDuration>,

    /// Encrypt the private key file with a password
    #[arg(long)]
    encrypt: bool,

    /// Overwrite files
    #[arg(short, long)]
    force: bool,

    /// Subject of the certificate [default: the identity]
    subject: Option<String>,
}

/// The files of a new identity.
#[derive(Clone, Copy, Debug)]
struct Files<'a> {
    key: &'a Path,
    certificate: &'a Path,
}

#[derive(Serialize)]
struct Created<'a> {
    api_key: &'a str,
    identity: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cert: Option<&'a Path>,
}

// === impl NewArgs ===

impl NewArgs {
    pub(crate) fn run(self, output: Output, now: Timestamp) -> Result<ExitCode> {
        let files = self.files()?;
        let key = ApiKey::generate(&SystemRandom)?;
        if let Some(files) = files {
            self.write(files, &key, now)?;
        }
        let (text, identity) = (key.to_text(), key.identity());
        output::print(&if output.json {
            output.encode(&Created {
                api_key: &text,
                identity: identity.as_str(),
                key: files.map(|files| files.key),
                cert: files.map(|files| files.certificate),
            })?
        } else {
            summary(&text, identity, files)
        })?;
        Ok(ExitCode::SUCCESS)
    }

    /// The files to write, if any, once it is clear that they may be written.
    fn files(&self) -> Result<Option<Files<'_>>> {
        let files = match (&self.key, &self.cert) {
            (Some(key), Some(certificate)) => Files { key, certificate },
            (Some(_), None) => {
                bail!("private key file specified but no certificate file. Set the '--cert' flag")
            }
            (None, Some(_)) => {
                bail!("certificate file specified but no private key file. Set the '--key' flag")
            }
            (None, None) => return self.refuse_file_flags().map(|()| None),
        };
        if !self.force && files.key.try_exists()? {
            bail!("private key already exists. Use --force to overwrite it");
        }
        if !self.force && files.certificate.try_exists()? {
            bail!("certificate already exists. Use --force to overwrite it");
        }
        Ok(Some(files))
    }

    fn refuse_file_flags(&self) -> Result<()> {
        let flags = [
            ("--encrypt", self.encrypt),
            ("--force", self.force),
            ("--expiry", self.expiry.is_some()),
            ("--ip", !self.ip.is_empty()),
            ("--dns", !self.dns.is_empty()),
        ];
        match flags.iter().find(|(_, given)| *given) {
            Some((flag, _)) => bail!(
                "'{flag}' requires a private key and certificate file. \
                 Set the '--cert' and '--key' flag"
            ),
            None => Ok(()),
        }
    }

    fn write(&self, files: Files<'_>, key: &ApiKey, now: Timestamp) -> Result<()> {
        let template = CertificateTemplate {
            subject: self.subject.clone(),
            dns: self.dns.clone(),
            ips: self.ip.clone(),
            server: true,
            not_before: now,
            not_after: self.not_after(now)?,
        };
        let certificate = certificate_to_pem(&key.certificate(&template, &SystemRandom)?);
        let private_key = self.private_key(key)?;
        write_file(files.key, private_key.as_bytes(), KEY_MODE)?;
        write_file(files.certificate, certificate.as_bytes(), CERTIFICATE_MODE)
            .inspect_err(|_| drop(fs::remove_file(files.key)))
    }

    fn not_after(&self, now: Timestamp) -> Result<Timestamp> {
        let expiry = match self.expiry {
            Some(expiry) => expiry,
            None => DEFAULT_EXPIRY.parse()?,
        };
        Ok(now.checked_add(SignedDuration::from_nanos(expiry.as_nanos()))?)
    }

    /// The private key as PEM text, encrypted if that is wanted.
    fn private_key(&self, key: &ApiKey) -> Result<Zeroizing<String>> {
        if !self.encrypt {
            return Ok(key.to_pem());
        }
        let password =
            password::ask("Enter password for private key: ").context("reading password")?;
        let again =
            password::ask("Confirm password for private key: ").context("reading password")?;
        if password != again {
            bail!("passwords don't match");
        }
        let der = key.private_key_pkcs8();
        Ok(keystead_tls::encrypt_private_key(&der, &password, &SystemRandom)?.into())
    }
}

/// What is said about a new identity.
fn summary(api_key: &str, identity: &Identity, files: Option<Files<'_>>) -> String {
    let (stored, again) = match files {
        Some(Files { key, certificate }) => {
            let (key, certificate) = (key.display(), certificate.display());
            let stored = format!(
                "\nThe generated TLS private key is stored at: {key}\n\
                 The generated TLS certificate is stored at: {certificate}\n"
            );
            (stored, format!("    kes identity of {certificate}\n"))
        }
        None => (String::new(), "\n".to_owned()),
    };
    format!(
        "Your API key:\n\n   {BOLD}{api_key}{BOLD:#}\n\n\
         This is the only time it is shown. Keep it secret and secure!\n\n\
         Your Identity:\n\n   {BOLD}{identity}{BOLD:#}\n\n\
         The identity is not a secret. It can be shared. Any peer\n\
         needs this identity in order to verify your API key.\n\
         {stored}\n\
         The identity can be computed again via:\n\n    \
         kes identity of {api_key}\n{again}"
    )
}

/// Writes a file that has `mode` from its first byte on.
fn write_file(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let write = || -> io::Result<()> {
        let mut file: File = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(path)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().with_context(|| format!("failed to write '{}'", path.display()))
}

fn address(text: &str) -> Result<IpAddr, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("invalid string being converted to IP address: {text}"))
}
