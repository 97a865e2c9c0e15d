//! Command trees and terminal output of the Keystead programs.
//!
//! A program's `main` hands its arguments to one function here and exits with what it
//! returns. Commands write results to standard output and everything else to standard
//! error, so that output stays usable in a pipe:
//!
//! * on a terminal, results are laid out for a reader; otherwise, and always with
//!   `--json`, they are JSON;
//! * every failure is one line, `Error: <what happened>`, and exit code 1;
//! * help goes to standard error with exit code 2.
//!
//! What is common to all programs lies at the top: [`Build`], the parser's refusals, the
//! terminal. Each program has a folder with a file per command group.

mod build;
mod completion;
mod confirm;
mod kes;
mod minkms;
mod output;
mod password;
mod style;
mod usage;

pub use build::Build;
pub use kes::kes;
pub use minkms::minkms;
