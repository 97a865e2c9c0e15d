//! `minkms audit verify`: whether an audit log is what the server wrote.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use keystead_observe::{ChainSummary, ChainVerifier};
use serde::Serialize;

use crate::output::{self, Output};

use super::text::{count, field};

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Check that no record of an audit log was changed, removed or moved
    Verify(VerifyArgs),
}

#[derive(Args)]
pub(super) struct VerifyArgs {
    /// The files of the log, the oldest first; '-' reads standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Summary<'a> {
    records: u64,
    chains: u64,
    first: u64,
    last: u64,
    hash: &'a str,
}

// === impl AuditCommand ===

impl AuditCommand {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        let Self::Verify(args) = self;
        let mut verifier = ChainVerifier::new();
        for file in &args.files {
            let name = file.display();
            let read = match file.as_os_str() == "-" {
                true => verifier.read(io::stdin().lock()),
                false => {
                    let opened = File::open(file).with_context(|| format!("open {name}"))?;
                    verifier.read(BufReader::new(opened))
                }
            };
            read.with_context(|| format!("the audit log is broken in '{name}'"))?;
        }
        let summary = verifier.finish();
        output::print(&match output.json {
            true => json(&summary)?,
            false => description(&summary),
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn json(summary: &ChainSummary) -> Result<String> {
    Ok(output::json_line(&Summary {
        records: summary.records,
        chains: summary.chains,
        first: summary.first,
        last: summary.last,
        hash: &summary.hash,
    })?)
}

fn description(summary: &ChainSummary) -> String {
    let mut text = field("Intact", count(summary.records, "record"));
    if summary.records > 0 {
        text += &field("First", summary.first);
        text += &field("Last", summary.last);
        text += &field("Hash", &summary.hash);
    }
    if summary.chains > 1 {
        text += &field("Chains", summary.chains);
    }
    text
}
