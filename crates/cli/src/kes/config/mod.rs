//! `kes config`: what is right and wrong with a configuration file.

mod check;
mod probe;
mod report;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check a configuration file, its certificates, its key store and the rights there
    Check(check::CheckArgs),
}

// === impl ConfigCommand ===

impl ConfigCommand {
    pub(crate) fn run(self, output: Output) -> Result<ExitCode> {
        match self {
            Self::Check(args) => args.run(output),
        }
    }
}
