//! `minkms identity` and `minkms --soft-hsm`: keys and identities, without a server.

mod files;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use keystead_config::ProcessEnvironment;
use keystead_config::kms::ServerConfig;
use keystead_crypto::{Cipher, Mode, SystemRandom};
use keystead_hsm::HsmKey;
use keystead_identity::{KmsApiKey, KmsCredential, KmsIdentity};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::output::{self, Output};
use crate::style::BOLD;

#[derive(Args)]
pub(super) struct IdentityArgs {
    /// Write the private key to this file
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// Write a certificate to this file
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,

    /// Compute the root identity of the server with this configuration file
    #[arg(long, value_name = "FILE", conflicts_with = "source")]
    config: Option<PathBuf>,

    /// Key of a software HSM, API key, or PEM file with a certificate or private key
    /// [default: an API key is generated]
    #[arg(value_name = "HSM-KEY|KEY|FILE")]
    source: Option<String>,
}

/// What is known about somebody.
enum Found {
    /// An API key that nobody has seen before.
    New(KmsApiKey),
    /// An API key that follows from something else.
    Key(KmsApiKey),
    /// An API key that was given.
    Given(KmsApiKey),
    Identity(KmsIdentity),
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    identity: String,
}

// === impl IdentityArgs ===

impl IdentityArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        let found = match (&self.config, &self.source) {
            (Some(file), _) => of_server(file)?,
            (None, Some(source)) => Found::of(source)?,
            (None, None) => Found::New(KmsApiKey::generate(&SystemRandom)?),
        };
        let (key, cert) = (self.key.as_deref(), self.cert.as_deref());
        if key.is_some() || cert.is_some() {
            let api_key = found.key().context(
                "there is no private key to write: name an API key, a private key or the key of \
                 a software HSM",
            )?;
            files::write(api_key, key, cert)?;
        }
        match &found {
            Found::New(api_key) => show_new_key(api_key, output)?,
            Found::Key(api_key) => output::print(&shown(api_key, output)?)?,
            Found::Given(_) | Found::Identity(_) => {
                output::print(&shown_identity(found.identity(), output)?)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The root of the server with a configuration file (decision D3).
fn of_server(file: &Path) -> Result<Found> {
    let loaded = ServerConfig::load(file, &ProcessEnvironment)?;
    if let Some(admin) = loaded.config.admin {
        return Ok(Found::Identity(admin));
    }
    let Some(found) = HsmKey::find(&ProcessEnvironment, Mode::Standard)? else {
        bail!(
            "'{}' has no admin.identity, and there is no software HSM key. \
             Set MINIO_KMS_HSM_KEY to the server's",
            file.display()
        );
    };
    Ok(Found::Key(found.key.root_api_key(Mode::Standard)?))
}

// === impl Found ===

impl Found {
    fn of(source: &str) -> Result<Self> {
        if source.starts_with("hsm:") {
            let key = HsmKey::parse(source)?;
            return Ok(Self::Key(key.root_api_key(Mode::Standard)?));
        }
        if source.starts_with("k1:") || source.starts_with("k2:") {
            return Ok(Self::Given(KmsApiKey::parse(source)?));
        }
        let file = fs::read(source).map(Zeroizing::new);
        let file = file.map_err(|error| unreadable(source, &error))?;
        let credential = KmsCredential::from_pem(&file);
        match credential.map_err(|error| anyhow!("failed to parse '{source}': {error}"))? {
            KmsCredential::Certificate(identity) => Ok(Self::Identity(identity)),
            KmsCredential::PrivateKey(key) => Ok(Self::Key(key)),
        }
    }

    fn key(&self) -> Option<&KmsApiKey> {
        match self {
            Self::New(key) | Self::Key(key) | Self::Given(key) => Some(key),
            Self::Identity(_) => None,
        }
    }

    fn identity(&self) -> KmsIdentity {
        match self {
            Self::New(key) | Self::Key(key) | Self::Given(key) => key.identity(),
            Self::Identity(identity) => *identity,
        }
    }
}

fn unreadable(source: &str, error: &io::Error) -> anyhow::Error {
    if source.contains(['/', '.']) {
        return anyhow!("open {source}: {error}");
    }
    // The text may be a secret that lost its beginning, and is not repeated.
    anyhow!("neither an API key (k1:, k2:), the key of a software HSM (hsm:) nor a file")
}

/// Prints an API key that was generated now, with all that its owner should know.
pub(super) fn show_new_key(key: &KmsApiKey, output: Output) -> Result<()> {
    let identity = key.identity();
    let text = key.to_text();
    let text = Zeroizing::new(if output.json {
        document(Some(&text), identity)?
    } else {
        format!(
            "Your API key:\n\n   {BOLD}{}{BOLD:#}\n\n\
             This is the only time it is shown. Keep it secret and secure!\n\n\
             Your identity:\n\n   {BOLD}{identity}{BOLD:#}\n\n\
             The identity is not a secret. It can be shared. Anybody who is to give you\n\
             access needs it.\n\n\
             The identity can be computed again via:\n\n   \
             $ minkms identity <API key>\n",
            *text
        )
    });
    output::print(&text)?;
    Ok(())
}

fn shown(key: &KmsApiKey, output: Output) -> Result<Zeroizing<String>> {
    let (text, identity) = (key.to_text(), key.identity());
    Ok(Zeroizing::new(if output.json {
        document(Some(&text), identity)?
    } else {
        format!(
            "API key:\n\n   {BOLD}{}{BOLD:#}\n\nIdentity:\n\n   {BOLD}{identity}{BOLD:#}\n",
            *text
        )
    }))
}

fn shown_identity(identity: KmsIdentity, output: Output) -> Result<String> {
    Ok(if output.json {
        document(None, identity)?
    } else {
        format!("{identity}\n")
    })
}

fn document(key: Option<&str>, identity: KmsIdentity) -> Result<String> {
    let identity = identity.to_string();
    Ok(output::json_line(&Document { key, identity })?)
}

/// Prints a new key of a software HSM: alone in a pipe, with explanations on a terminal.
pub(super) fn soft_hsm(output: Output) -> Result<ExitCode> {
    let key = HsmKey::generate(Cipher::Aes256, &SystemRandom)?.to_text();
    let text = Zeroizing::new(match output.interactive {
        true => boxed(&key),
        false => format!("{}\n", *key),
    });
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn boxed(key: &str) -> String {
    const LINES: [&str; 6] = [
        "This is the only time it is shown. Keep it safe: it opens everything that the",
        "server stores, and without it everything is lost.",
        "",
        "Give all servers of a cluster the same key, for example via:",
        "",
        "   $ export MINIO_KMS_HSM_KEY=<HSM key>",
    ];
    const WIDTH: usize = 80;
    let line = |text: &str| format!("│ {text:<WIDTH$}│\n");
    let rule = "─".repeat(WIDTH + 1);
    let highlighted = format!(
        "│    {BOLD}{key}{BOLD:#}{:1$}│\n",
        "",
        WIDTH.saturating_sub(3 + key.len())
    );
    let mut text = format!("┌{rule}┐\n{}{}", line("Your software HSM key:"), line(""));
    text += &highlighted;
    text += &line("");
    for words in LINES {
        text += &line(words);
    }
    text + &format!("└{rule}┘\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HSM_KEY: &str = "hsm:aes256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const ROOT_KEY: &str = "k1:eDpZgkFREkC_xKqxffp0DdDGX5BxpY-vylB3F2V4xto";
    const ROOT: &str = "h1:ikXCeVwRipKfnG9ZlVSNHWT3Iut9AWTKnDghqHe2rFk";

    #[test]
    fn the_root_follows_from_the_key_of_the_software_hsm() {
        let found = Found::of(HSM_KEY).unwrap();
        assert_eq!(*found.key().unwrap().to_text(), ROOT_KEY);
        assert_eq!(found.identity().to_string(), ROOT);
        let found = Found::of(ROOT_KEY).unwrap();
        assert_eq!(found.identity().to_string(), ROOT);
    }

    #[test]
    fn what_is_no_source_is_not_repeated() {
        let error = Found::of("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
        let error = error.err().unwrap().to_string();
        assert!(!error.contains("AAECAw"), "{error}");
        let error = Found::of("not-there.pem").err().unwrap().to_string();
        assert!(error.starts_with("open not-there.pem: "), "{error}");
    }

    #[test]
    fn the_box_has_straight_sides() {
        let text = anstream::adapter::strip_str(&boxed(HSM_KEY)).to_string();
        let widths: Vec<_> = text.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{text}");
        assert!(text.contains(HSM_KEY));
    }
}
