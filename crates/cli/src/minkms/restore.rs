//! `minkms restore`: replaces what a server knows by a backup.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::fs::File;

use crate::confirm;

use super::client::{ClientArgs, endpoints};

#[derive(Args)]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Replace what a server knows that is not new
    #[arg(short, long)]
    force: bool,

    /// The server [default: the first of MINIO_KMS_SERVER]; a word alone is the file
    #[arg(value_name = "HOST[:PORT]")]
    host: Option<String>,

    /// The backup
    file: Option<PathBuf>,
}

// === impl RestoreArgs ===

impl RestoreArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let (host, path) = match (self.host, self.file) {
            (host, Some(file)) => (host, file),
            (Some(file), None) => (None, PathBuf::from(file)),
            (None, None) => bail!("no backup specified. See 'minkms restore --help'"),
        };
        let host = host.or_else(|| endpoints().into_iter().next());
        let host = host.context("no server specified. Consider setting MINIO_KMS_SERVER")?;
        let question = format!(
            "Replace all keys, policies and identities of {host}? What they are now is lost. \
             [y/N] "
        );
        if self.force && !confirm::ask(&question)? {
            return Ok(ExitCode::FAILURE);
        }
        self.client.run(async |client| {
            let failed = || format!("failed to read '{}'", path.display());
            let file = File::open(&path).await.with_context(failed)?;
            let length = file.metadata().await.with_context(failed)?.len();
            client.write_db(&host, file, length, self.force).await?;
            Ok(ExitCode::SUCCESS)
        })
    }
}
