//! `minkms completion` and `minkms man`: files that are made from the argument tree.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::output;

use super::MinKms;

#[derive(Args)]
pub(super) struct CompletionArgs {
    /// The shell that will read the script
    shell: Shell,
}

#[derive(Args)]
pub(super) struct ManArgs {
    /// Folder to write the pages to
    folder: PathBuf,
}

// === impl CompletionArgs ===

impl CompletionArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        // In one piece, because clap panics when it cannot write.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut MinKms::command(), "minkms", &mut script);
        output::print(&String::from_utf8(script)?)?;
        Ok(ExitCode::SUCCESS)
    }
}

// === impl ManArgs ===

impl ManArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        clap_mangen::generate_to(MinKms::command(), &self.folder)
            .with_context(|| format!("failed to write to '{}'", self.folder.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
