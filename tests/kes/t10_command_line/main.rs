//! Arguments, exit codes, error texts and output of every command.

mod arguments;
mod offline;
mod server;

use anyhow::{Context, Result};
use keystead_tests::{Folder, Process};
use serde_json::Value;

const API_KEY: &str = "kes:v1:APvbt/zbiewXNB+EwciOT+I21peq0odFYCwkJX8mMCxM";

/// A development server, and a folder whose commands talk to it as its admin.
fn server() -> Result<(Folder, Process)> {
    let mut folder = Folder::new()?;
    let (server, banner) = folder.serve("kes server --dev --addr 127.0.0.1:0")?;
    let (_, rest) = banner.split_once("API Key     ").context("no API key")?;
    folder.export("KES_API_KEY", rest.lines().next().context("no API key")?);
    Ok((folder, server))
}

/// What `line` prints, given that it succeeds.
fn output(folder: &Folder, line: &str) -> Result<String> {
    let done = folder.run(line)?;
    assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{line}");
    Ok(done.stdout)
}

fn document(folder: &Folder, line: &str) -> Result<Value> {
    Ok(serde_json::from_str(&output(folder, line)?)?)
}

/// Asserts that `line` fails with `message` and prints nothing else.
fn assert_error(folder: &Folder, line: &str, message: &str) -> Result<()> {
    let done = folder.run(line)?;
    assert_eq!(done.stderr, format!("Error: {message}\n"), "{line}");
    assert_eq!((done.code, done.stdout.as_str()), (1, ""), "{line}");
    Ok(())
}
