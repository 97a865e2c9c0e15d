//! Shell completion by the program itself.
//!
//! Bash starts the program once per press of the tab key, with the line so far in
//! `COMP_LINE`, and offers what the program prints; zsh does so through `bashcompinit`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Command, CommandFactory};

use crate::output;

/// A shell wants to know how a line may go on.
#[derive(Debug)]
pub(crate) struct Request {
    line: String,
}

/// A shell that knows `complete -C`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shell {
    Bash,
    Zsh,
}

// === impl Request ===

impl Request {
    /// The request in the environment of this process, if a shell left one.
    pub(crate) fn from_environment() -> Option<Self> {
        Shell::from_environment()?;
        env::var("COMP_LINE").ok().map(|line| Self { line })
    }

    /// Prints every word the line may go on with.
    pub(crate) fn answer<P: CommandFactory>(&self) -> Result<ExitCode> {
        let mut root = P::command();
        root.build();
        output::print(&self.candidates(&root).concat())?;
        Ok(ExitCode::SUCCESS)
    }

    fn candidates(&self, root: &Command) -> Vec<String> {
        let mut words: Vec<_> = self.line.split_whitespace().skip(1).collect();
        let partial = match self.line.ends_with(char::is_whitespace) {
            true => "",
            false => words.pop().unwrap_or_default(),
        };
        let mut command = root;
        for word in words {
            command = command.find_subcommand(word).unwrap_or(command);
        }
        let flags = command
            .get_arguments()
            .filter(|arg| !arg.is_hide_set())
            .flat_map(|arg| {
                let long = arg.get_long().map(|long| format!("--{long}"));
                let short = arg.get_short().map(|short| format!("-{short}"));
                long.into_iter().chain(short)
            });
        let commands = command
            .get_subcommands()
            .filter(|command| !command.is_hide_set());
        let commands = commands.map(|command| command.get_name().to_owned());
        let mut candidates: Vec<_> = match partial.starts_with('-') {
            true => flags.collect(),
            false => commands.collect(),
        };
        candidates.retain(|candidate| candidate.starts_with(partial));
        candidates
            .iter_mut()
            .for_each(|candidate| candidate.push('\n'));
        candidates
    }
}

/// Makes the user's shell ask `program` for completions from its next start on.
pub(crate) fn install(program: &str) -> Result<ExitCode> {
    let Some(shell) = Shell::from_environment() else {
        bail!("shell completion can be installed for bash and zsh only. Set SHELL");
    };
    let home = env::var_os("HOME").context("HOME is not set")?;
    let file = PathBuf::from(home).join(shell.start_up_file());
    let binary = env::current_exe().context("the path of this program is unknown")?;
    let content = if file.exists() {
        fs::read_to_string(&file)?
    } else {
        String::new()
    };
    match shell.with_completion(&content, &binary, program) {
        Some(content) => {
            fs::write(&file, content)?;
            output::print(&format!(
                "Added completion to '{}'. Restart the shell.\n",
                file.display()
            ))?;
        }
        None => output::print("Completion is already installed.\n")?,
    }
    Ok(ExitCode::SUCCESS)
}

// === impl Shell ===

impl Shell {
    fn from_environment() -> Option<Self> {
        match env::var("SHELL").ok()? {
            path if path.ends_with("bash") => Some(Self::Bash),
            path if path.ends_with("zsh") => Some(Self::Zsh),
            _ => None,
        }
    }

    fn start_up_file(self) -> &'static str {
        match self {
            Self::Bash => ".bashrc",
            Self::Zsh => ".zshrc",
        }
    }

    /// `content` of the start-up file with completion added, unless it is in there.
    fn with_completion(self, content: &str, binary: &Path, program: &str) -> Option<String> {
        const INIT: &str = "autoload -U +X bashcompinit && bashcompinit";
        let complete = format!("complete -o default -C {} {program}", binary.display());
        let wanted = match self {
            Self::Bash => vec![complete.as_str()],
            Self::Zsh => vec![INIT, complete.as_str()],
        };
        let is_missing = |line: &&str| !content.lines().any(|present| present == *line);
        let missing: Vec<_> = wanted.into_iter().filter(is_missing).collect();
        if missing.is_empty() {
            return None;
        }
        let separator = if content.is_empty() || content.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        Some(format!("{content}{separator}{}\n", missing.join("\n")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Command {
        let create = Command::new("create").arg(clap::arg!(-k --insecure "skip"));
        let key = Command::new("key").subcommands([create, Command::new("info")]);
        let mut root = Command::new("kes")
            .disable_help_subcommand(true)
            .subcommands([key, Command::new("ls"), Command::new("log")]);
        root.build();
        root
    }

    fn candidates(line: &str) -> String {
        Request {
            line: line.to_owned(),
        }
        .candidates(&tree())
        .concat()
    }

    #[test]
    fn lines_go_on_with_commands_and_flags() {
        assert_eq!(candidates("kes "), "key\nls\nlog\n");
        assert_eq!(candidates("kes l"), "ls\nlog\n");
        assert_eq!(candidates("kes key "), "create\ninfo\n");
        assert_eq!(candidates("kes key create --i"), "--insecure\n");
        assert_eq!(
            candidates("kes key create -"),
            "--insecure\n-k\n--help\n-h\n"
        );
        assert_eq!(candidates("kes key create my"), "");
    }

    #[test]
    fn completion_is_installed_once() {
        let add = |shell: Shell, content: &str| {
            shell.with_completion(content, Path::new("/opt/kes"), "kes")
        };
        let bash = "alias l=ls\ncomplete -o default -C /opt/kes kes\n";
        assert_eq!(add(Shell::Bash, "alias l=ls").as_deref(), Some(bash));
        assert_eq!(add(Shell::Bash, bash), None);
        let zsh = "autoload -U +X bashcompinit && bashcompinit\n\
                   complete -o default -C /opt/kes kes\n";
        assert_eq!(add(Shell::Zsh, "").as_deref(), Some(zsh));
    }
}
