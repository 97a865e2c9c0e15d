//! Where results go and in which form.

use std::io::{self, IsTerminal, Write};
use std::str::FromStr;

use anstream::ColorChoice;
use clap::Args;
use serde::Serialize;

use crate::style::ERROR;

/// Output options that every command has.
#[derive(Args, Clone, Debug)]
pub(crate) struct OutputArgs {
    /// Print the result as JSON
    #[arg(long, global = true)]
    json: bool,

    /// When to use colors: auto, always or never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true
    )]
    color: When,
}

/// The form of a command's results.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// `--json` was given.
    pub(crate) json: bool,
    /// Standard output is a terminal.
    pub(crate) interactive: bool,
}

#[derive(Clone, Copy, Debug)]
struct When(ColorChoice);

// === impl OutputArgs ===

impl OutputArgs {
    /// Makes the choice of colors the one of the whole process.
    pub(crate) fn apply(&self) -> Output {
        self.color.0.write_global();
        Output {
            json: self.json,
            interactive: io::stdout().is_terminal(),
        }
    }
}

// === impl Output ===

impl Output {
    /// Whether a command whose pipe format is JSON has to print JSON.
    pub(crate) fn scripted(self) -> bool {
        self.json || !self.interactive
    }

    /// `value` as JSON the way people read it on a terminal: indented by two blanks, with
    /// a newline. In a pipe, one line without newline.
    pub(crate) fn encode(self, value: &impl Serialize) -> serde_json::Result<String> {
        if self.interactive {
            serde_json::to_string_pretty(value).map(|text| text + "\n")
        } else {
            serde_json::to_string(value)
        }
    }
}

/// `value` as one line of JSON.
pub(crate) fn json_line(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(value).map(|text| text + "\n")
}

/// Writes styled `text` to standard output at once.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes what controls the terminal, whatever the choice of colors.
pub(crate) fn print_raw(sequence: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(sequence.as_bytes())?;
    stdout.flush()
}

/// Writes styled `text` to standard error. There is nowhere to report a failure to.
pub(crate) fn note(text: &str) {
    anstream::stderr().write_all(text.as_bytes()).ok();
}

/// Writes the line that ends a failed command.
pub(crate) fn print_error(message: &str) {
    note(&format!("{ERROR}Error: {ERROR:#}{message}\n"));
}

// === impl When ===

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "" | "auto" => Ok(Self(ColorChoice::Auto)),
            "always" => Ok(Self(ColorChoice::AlwaysAnsi)),
            "never" => Ok(Self(ColorChoice::Never)),
            _ => Err("invalid color option"),
        }
    }
}
