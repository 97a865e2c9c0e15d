//! The `kes` program: one file per command or group of commands.

mod client;
mod config;
mod identity;
mod key;
mod log;
mod metric;
mod migrate;
mod names;
mod pages;
mod policy;
mod server;
mod status;
mod text;

pub(crate) use client::{Interrupted, block_on};
pub(crate) use server::{addresses, occasions, protection};
pub(crate) use text::decimal_size;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};

use crate::build::Build;
use crate::completion::Request;
use crate::output::{self, Output, OutputArgs};
use crate::usage::{self, Refusal};

/// Exit code of a command that printed help instead of doing anything.
const HELP: u8 = 2;

/// Key encryption server and its command line
#[derive(Debug, Parser)]
#[command(
    name = "kes",
    disable_help_subcommand = true,
    disable_version_flag = true
)]
struct Kes {
    /// Print version information
    #[arg(short, long)]
    version: bool,

    /// Install shell completion for this shell
    #[arg(long)]
    auto_completion: bool,

    #[command(flatten)]
    output: OutputArgs,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a server
    Server(server::ServerArgs),
    /// List keys, policies or identities
    Ls(names::LsArgs),
    /// Manage and use keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Look at policies
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Check configuration files
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Manage identities
    Identity(identity::IdentityArgs),
    /// Print the server's log events
    Log(log::LogArgs),
    /// Print the server's status
    Status(status::StatusArgs),
    /// Watch the server's metrics
    Metric(metric::MetricArgs),
    /// Copy keys from one key store to another
    Migrate(migrate::MigrateArgs),
    /// Update the program (not available in this build)
    Update {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        _anything: Vec<OsString>,
    },
    /// Print a completion script for a shell
    Completion(pages::CompletionArgs),
    /// Write the manual pages to a folder
    Man(pages::ManArgs),
    /// Commands of old releases
    #[command(subcommand, hide = true)]
    Tool(identity::ToolCommand),
}

/// Runs the `kes` program with `args`, its name first, and says how it is to exit: 0 if it
/// did what it should, 1 if not, 2 if it printed help.
pub fn kes(args: impl IntoIterator<Item = OsString>, build: Build) -> ExitCode {
    let args: Vec<_> = args.into_iter().collect();
    let result = match Request::from_environment() {
        Some(request) => request.answer::<Kes>(),
        None => start(&args, build),
    };
    result.unwrap_or_else(|error| {
        if !is_silent(&error) {
            output::print_error(&error.to_string());
        }
        ExitCode::FAILURE
    })
}

fn start(args: &[OsString], build: Build) -> Result<ExitCode> {
    match usage::parse::<Kes>(args) {
        Ok(kes) => kes.run(build),
        Err(Refusal::Help(help)) => {
            output::note(&help);
            Ok(ExitCode::from(HELP))
        }
        Err(Refusal::Wrong(message)) => Err(anyhow::Error::msg(message)),
    }
}

/// Whether an error needs no words: somebody interrupted the command, or closed the pipe
/// that it was writing to.
fn is_silent(error: &anyhow::Error) -> bool {
    error.is::<client::Interrupted>()
        || error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

// === impl Kes ===

impl Kes {
    fn run(self, build: Build) -> Result<ExitCode> {
        let output = self.output.apply();
        if self.version {
            output::print(&match output.json {
                true => output.encode(&build)?,
                false => build.version_block(),
            })?;
        } else if self.auto_completion {
            return crate::completion::install("kes");
        } else if let Some(command) = self.command {
            return command.run(output, build);
        } else {
            output::note(&usage::help::<Self>(&[]));
            return Ok(ExitCode::from(HELP));
        }
        Ok(ExitCode::SUCCESS)
    }
}

// === impl Command ===

impl Command {
    fn run(self, output: Output, build: Build) -> Result<ExitCode> {
        match self {
            Self::Server(args) => args.run(output, build),
            Self::Ls(args) => args.run(output),
            Self::Key(command) => command.run(output),
            Self::Policy(command) => command.run(output),
            Self::Config(command) => command.run(output),
            Self::Identity(args) => args.run(output),
            Self::Log(args) => args.run(output),
            Self::Status(args) => args.run(output),
            Self::Metric(args) => args.run(output),
            Self::Migrate(args) => args.run(output),
            Self::Update { .. } => bail!("self-update is not available in this build"),
            Self::Completion(args) => args.run(),
            Self::Man(args) => args.run(),
            Self::Tool(command) => command.run(output),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_argument_tree_is_sound() {
        Kes::command().debug_assert();
    }

    proptest! {
        /// Any words, and words of the tree among them, are parsed or refused.
        #[test]
        fn no_arguments_cause_a_panic(
            words in prop::collection::vec("\\PC{0,8}|key|create|identity|new|-[a-z]{1,3}|--[a-z=]{1,9}", 0..6),
        ) {
            let args = ["kes".to_owned()].into_iter().chain(words).map(OsString::from);
            if let Err(Refusal::Wrong(message)) = usage::parse::<Kes>(&args.collect::<Vec<_>>()) {
                prop_assert!(message.contains(". See 'kes"), "{}", message);
            }
        }
    }
}
