//! `kes identity`: API keys, certificates and who they belong to.

mod describe;
mod new;
mod of;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use keystead_crypto::SystemRandom;
use keystead_identity::ApiKey;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::output::{self, Output};
use crate::style::BOLD;

use super::names::{Kind, NamesArgs};

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct IdentityArgs {
    #[command(subcommand)]
    command: Option<IdentityCommand>,

    /// API key, or PEM file with a certificate or an Ed25519 private key
    #[arg(value_name = "KEY|FILE")]
    source: Option<String>,
}

#[derive(Debug, Subcommand)]
enum IdentityCommand {
    /// Create an API key, or a private key with a certificate
    New(new::NewArgs),
    /// Compute the identity of an API key or certificate
    Of(of::OfArgs),
    /// Show what the server knows about an identity
    Info(describe::InfoArgs),
    /// List the identities that have a policy
    #[command(visible_alias = "list")]
    Ls(NamesArgs),
}

/// `kes tool`, where old releases had some of these commands.
#[derive(Debug, Subcommand)]
pub(crate) enum ToolCommand {
    /// Manage identities
    #[command(subcommand)]
    Identity(ToolIdentityCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ToolIdentityCommand {
    /// Create an API key, or a private key with a certificate
    New(new::NewArgs),
    /// Compute the identity of an API key or certificate
    Of(of::OfArgs),
}

#[derive(Serialize)]
struct NewKey<'a> {
    api_key: &'a str,
    identity: &'a str,
}

// === impl IdentityArgs ===

impl IdentityArgs {
    pub(crate) fn run(self, output: Output) -> Result<ExitCode> {
        match (self.command, self.source) {
            (Some(IdentityCommand::New(args)), _) => args.run(output, Timestamp::now()),
            (Some(IdentityCommand::Of(args)), _) => args.run(output),
            (Some(IdentityCommand::Info(args)), _) => args.run(output),
            (Some(IdentityCommand::Ls(args)), _) => args.run(Kind::Identity, output),
            (None, Some(source)) => of::convert(&source, output),
            (None, None) => print_key(&ApiKey::generate(&SystemRandom)?, output),
        }
    }
}

// === impl ToolCommand ===

impl ToolCommand {
    pub(crate) fn run(self, output: Output) -> Result<ExitCode> {
        match self {
            Self::Identity(ToolIdentityCommand::New(args)) => args.run(output, Timestamp::now()),
            Self::Identity(ToolIdentityCommand::Of(args)) => args.run(output),
        }
    }
}

/// Prints an API key: alone in a pipe, with explanations on a terminal.
fn print_key(key: &ApiKey, output: Output) -> Result<ExitCode> {
    let (text, identity) = (key.to_text(), key.identity());
    let text = Zeroizing::new(if output.json {
        output.encode(&NewKey {
            api_key: &text,
            identity: identity.as_str(),
        })?
    } else if output.interactive {
        format!(
            "\nYour API key:\n\n   {BOLD}{}{BOLD:#}\n\nYour API key's identity:\n\n   \
             {BOLD}{identity}{BOLD:#}\n\nThe identity can be computed again via:\n\n   \
             $ kes identity <key>\n\n",
            *text,
        )
    } else {
        text.to_string()
    });
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
