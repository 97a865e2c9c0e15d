//! `kes identity of`, and `kes identity` with an argument: from keys and certificates to
//! identities.

use std::fs;
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use clap::Args;
use keystead_identity::{ApiKey, Credential, Identity};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::output::{self, Output};
use crate::style::BOLD;
use crate::usage::see;

/// What every API key starts with, in the form in which it is handed out.
const API_KEY_PREFIX: &str = "kes:v1:";

#[derive(Args, Debug)]
pub(crate) struct OfArgs {
    /// API key or certificate file
    #[arg(value_name = "KEY|FILE")]
    source: Option<String>,
}

#[derive(Serialize)]
struct Found<'a> {
    identity: &'a str,
}

// === impl OfArgs ===

impl OfArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        let Some(source) = self.source else {
            bail!(see(
                "no API key or certificate specified",
                "kes identity of"
            ));
        };
        if source.starts_with(API_KEY_PREFIX) {
            return print_identity(ApiKey::parse(&source)?.identity(), output);
        }
        let identity = Identity::of_pem(&read(&source)?)
            .map_err(|error| anyhow!("failed to parse certificate in '{source}': {error}"))?;
        print_identity(&identity, output)
    }
}

/// `kes identity SOURCE`: the identity of an API key or certificate, or the API key of a
/// private key.
pub(super) fn convert(source: &str, output: Output) -> Result<ExitCode> {
    if source.starts_with(API_KEY_PREFIX) {
        return print_identity(ApiKey::parse(source)?.identity(), output);
    }
    let credential = Credential::from_pem(&read(source)?)
        .map_err(|error| anyhow!("failed to parse '{source}': {error}"))?;
    match credential {
        Credential::Certificate(identity) => print_identity(&identity, output),
        Credential::PrivateKey(key) => super::print_key(&key, output),
    }
}

fn read(path: &str) -> Result<Zeroizing<Vec<u8>>> {
    fs::read(path)
        .map(Zeroizing::new)
        .map_err(|error| anyhow!("open {path}: {error}"))
}

fn print_identity(identity: &Identity, output: Output) -> Result<ExitCode> {
    output::print(&if output.json {
        output.encode(&Found {
            identity: identity.as_str(),
        })?
    } else if output.interactive {
        format!("Identity:\n\n   {BOLD}{identity}{BOLD:#}\n")
    } else {
        identity.to_string()
    })?;
    Ok(ExitCode::SUCCESS)
}
