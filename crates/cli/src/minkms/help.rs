//! `minkms help`: what `--help` prints, on standard output.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, CommandFactory};

use crate::output;
use crate::usage;

use super::MinKms;

#[derive(Args)]
pub(super) struct HelpArgs {
    /// A command, or 'all'
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

// === impl HelpArgs ===

impl HelpArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let root = MinKms::command();
        let text = match self.command.as_deref() {
            None => usage::help::<MinKms>(&[]),
            Some("all") => {
                let commands = root.get_subcommands().filter(|it| !it.is_hide_set());
                let texts = commands.map(|command| usage::help::<MinKms>(&[command.get_name()]));
                let texts: Vec<_> = [usage::help::<MinKms>(&[])]
                    .into_iter()
                    .chain(texts)
                    .collect();
                texts.join("\n")
            }
            Some(name) => match root.find_subcommand(name) {
                Some(command) => usage::help::<MinKms>(&[command.get_name()]),
                None => bail!("{name:?} is not a minkms command. See 'minkms help'"),
            },
        };
        output::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}
