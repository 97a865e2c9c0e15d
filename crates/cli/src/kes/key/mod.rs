//! `kes key`: creates, describes, lists and deletes keys, and uses them.

mod crypt;
mod keys;

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use keystead_wire_kes::{DescribeKey, Name};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::confirm;
use crate::output::{self, Output};
use crate::usage::see;

use self::keys::KeysArgs;
use super::client::ClientArgs;
use super::names::{self, Kind};
use super::text::{date_time, field, optional_field};

/// Length of a key in bytes.
const KEY_LEN: usize = 32;
/// The cipher of imported keys.
const CIPHER: &str = "AES256";

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Create keys
    Create(CreateArgs),
    /// Import a key
    Import(ImportArgs),
    /// Describe a key
    Info(InfoArgs),
    /// List keys
    #[command(visible_alias = "list")]
    Ls(LsArgs),
    /// Delete keys
    #[command(visible_alias = "delete")]
    Rm(RmArgs),
    /// Encrypt a message
    Encrypt(crypt::EncryptArgs),
    /// Decrypt a message
    Decrypt(crypt::DecryptArgs),
    /// Generate a data encryption key
    #[command(visible_alias = "derive")]
    Dek(crypt::DekArgs),
}

#[derive(Args, Debug)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    keys: KeysArgs,

    /// Names of the keys; a single name followed by base64 of 32 bytes imports that key
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    keys: KeysArgs,

    /// Name of the key
    name: Option<String>,

    /// The key as base64
    key: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct InfoArgs {
    #[command(flatten)]
    keys: KeysArgs,

    /// Name of the key
    name: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct LsArgs {
    #[command(flatten)]
    keys: KeysArgs,

    /// List only names that start like this
    #[arg(default_value = "*", hide_default_value = true)]
    pattern: String,
}

#[derive(Args, Debug)]
pub(crate) struct RmArgs {
    #[command(flatten)]
    keys: KeysArgs,

    /// Do not ask, with '--config' on a terminal
    #[arg(short, long)]
    force: bool,

    /// Names of the keys
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// What `--json` says about a key after a change of it.
#[derive(Serialize)]
struct Changed<'a> {
    name: &'a str,
    status: &'static str,
}

// === impl KeyCommand ===

impl KeyCommand {
    pub(crate) fn run(self, output: Output) -> Result<ExitCode> {
        match self {
            Self::Create(args) => args.run(output),
            Self::Import(args) => args.run(output),
            Self::Info(args) => args.run(output),
            Self::Ls(args) => args.run(output),
            Self::Rm(args) => args.run(output),
            Self::Encrypt(args) => args.run(output),
            Self::Decrypt(args) => args.run(output),
            Self::Dek(args) => args.run(output),
        }
    }
}

/// The name of a key that a command cannot do without.
fn required(name: Option<String>, command: &str) -> Result<String> {
    name.with_context(|| see("no key name specified", command))
}

fn report(output: Output, name: &str, status: &'static str) -> Result<()> {
    if output.json {
        output::print(&output::json_line(&Changed { name, status })?)?;
    }
    Ok(())
}

// === impl CreateArgs ===

impl CreateArgs {
    fn run(self, output: Output) -> Result<ExitCode> {
        if self.names.is_empty() {
            bail!(see("no key name specified", "kes key create"));
        }
        self.keys.run(async |keys| {
            if let [name, word] = self.names.as_slice()
                && let Some(key) = key_material(word)
            {
                let imported = keys.import(name, key, CIPHER).await;
                imported.map_err(|error| anyhow!("failed to import {name:?}: {error}"))?;
                report(output, name, "imported")?;
                return Ok(ExitCode::SUCCESS);
            }
            for name in &self.names {
                let created = keys.create(name).await;
                created.map_err(|error| anyhow!("failed to create key {name:?}: {error}"))?;
                report(output, name, "created")?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// The key in the second word of `kes key create NAME KEY`, as releases up to v0.17.6 took
/// it: base64 of 32 bytes always ends in `=`, which no name may contain.
fn key_material(word: &str) -> Option<Zeroizing<Vec<u8>>> {
    if Name::is_valid(word) {
        return None;
    }
    let key = Zeroizing::new(BASE64_STANDARD.decode(word).ok()?);
    (key.len() == KEY_LEN).then_some(key)
}

// === impl ImportArgs ===

impl ImportArgs {
    fn run(self, output: Output) -> Result<ExitCode> {
        const COMMAND: &str = "kes key import";
        let name = required(self.name, COMMAND)?;
        let key = self
            .key
            .with_context(|| see("no crypto key specified", COMMAND))?;
        let key = BASE64_STANDARD
            .decode(key)
            .map(Zeroizing::new)
            .map_err(|error| anyhow!(see(&format!("invalid key: {error}"), COMMAND)))?;
        self.keys.run(async |keys| {
            let imported = keys.import(&name, key, CIPHER).await;
            imported.map_err(|error| anyhow!("failed to import {name:?}: {error}"))?;
            report(output, &name, "imported")?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl InfoArgs ===

impl InfoArgs {
    fn run(self, output: Output) -> Result<ExitCode> {
        let name = required(self.name, "kes key info")?;
        self.keys.run(async |keys| {
            let described = keys.describe(&name).await;
            let key = described.map_err(|error| anyhow!("failed to describe keys: {error}"))?;
            output::print(&match output.json {
                true => output::json_line(&key)?,
                false => description(&key),
            })?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn description(key: &DescribeKey) -> String {
    let owner = Some(&key.created_by).filter(|owner| !owner.is_empty());
    [
        field("Name", &key.name),
        field("Algorithm", &key.algorithm),
        optional_field(
            "Date",
            key.created_at.map(|time| date_time(time, &TimeZone::UTC)),
        ),
        optional_field("Owner", owner),
    ]
    .concat()
}

// === impl LsArgs ===

impl LsArgs {
    fn run(self, output: Output) -> Result<ExitCode> {
        self.keys
            .run(async |keys| names::show(Kind::Key, keys.list(&self.pattern).await, output))
    }
}

// === impl RmArgs ===

impl RmArgs {
    fn run(self, output: Output) -> Result<ExitCode> {
        if self.names.is_empty() {
            bail!(see("no key name specified", "kes key rm"));
        }
        // A server has its policies against slips; a key store has nothing.
        if self.keys.is_offline() && !self.force && !confirm::deletion(&self.names)? {
            return Ok(ExitCode::FAILURE);
        }
        self.keys.run(async |keys| {
            for name in &self.names {
                let deleted = keys.delete(name).await;
                deleted.map_err(|error| anyhow!("failed to remove key {name:?}: {error}"))?;
                report(output, name, "deleted")?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_base64_of_a_key_is_key_material() {
        let key = "OSMM+vkKUTCvQs9YL/CVMIMt43HFhkUpqJxTmGl6rYw=";
        assert_eq!(key_material(key).map(|key| key.len()), Some(32));
        assert!(key_material("my-key-2").is_none());
        assert!(key_material("c2hvcnQ=").is_none());
        assert!(key_material("not/base64!").is_none());
    }

    #[test]
    fn descriptions_align_their_values() {
        let key = DescribeKey {
            name: "my-key".to_owned(),
            algorithm: "AES256".to_owned(),
            created_at: "2025-05-26T10:00:00.5Z".parse().ok(),
            created_by: "1d1f89ad".to_owned(),
        };
        assert_eq!(
            description(&key),
            "Name        my-key\n\
             Algorithm   AES256\n\
             Date        2025-05-26 10:00:00\n\
             Owner       1d1f89ad\n"
        );
    }
}
