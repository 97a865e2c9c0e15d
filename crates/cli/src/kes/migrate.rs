//! `kes migrate`: copies keys from one key store to another, byte for byte.

use std::collections::BTreeSet;
use std::env;
use std::future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use clap::Args;
use glob::Pattern;
use indicatif::{ProgressBar, ProgressStyle};
use keystead_config::ProcessEnvironment;
use keystead_config::kes::{Overrides, ServerConfig};
use keystead_keystore::{Error, KeyStore, all_names};
use keystead_observe::{Level, Telemetry};
use keystead_server_kes::open_store;
use serde::Serialize;
use tokio::signal;

use crate::output::{self, Output};

use super::client::{Interrupted, block_on};

#[derive(Args, Debug)]
pub(crate) struct MigrateArgs {
    /// Configuration file with the key store to read from
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,

    /// Configuration file with the key store to write to
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,

    /// Replace keys that are there already
    #[arg(short, long)]
    force: bool,

    /// Keep keys that are there already
    #[arg(long)]
    merge: bool,

    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    kms: KmsArgs,

    /// Copy only keys that match this shell pattern
    #[arg(default_value = "*")]
    pattern: String,
}

/// A MinIO KMS server as target.
#[derive(Args, Debug)]
struct KmsArgs {
    /// MinIO KMS server to write to
    #[arg(short, long, value_name = "HOST[:PORT]")]
    server: Option<String>,

    /// Enclave of the MinIO KMS server
    #[arg(short, long, value_name = "NAME")]
    enclave: Option<String>,

    /// API key of the MinIO KMS server
    #[arg(short, long, value_name = "KEY")]
    api_key: Option<String>,

    /// Skip the verification of the server's certificate
    #[arg(short = 'k', long)]
    insecure: bool,
}

/// What to do about a key that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conflict {
    Fail,
    Replace,
    Keep,
}

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Migrated,
    Replaced,
    Skipped,
}

/// A copy under way.
struct Migration {
    source: Arc<dyn KeyStore>,
    target: Arc<dyn KeyStore>,
    conflict: Conflict,
    dry_run: bool,
}

/// Shows how far a migration is: a bar on a terminal, otherwise a line of JSON per key.
struct Progress {
    output: Output,
    bar: ProgressBar,
    migrated: usize,
}

#[derive(Serialize)]
struct Event<'a> {
    name: &'a str,
    status: Outcome,
}

#[derive(Serialize)]
struct Totals {
    migrated: usize,
    dry_run: bool,
}

// === impl MigrateArgs ===

impl MigrateArgs {
    pub(crate) fn run(self, output: Output) -> Result<ExitCode> {
        let Some(from) = &self.from else {
            bail!("no source specified. Use '--from' flag");
        };
        let conflict = match (self.force, self.merge) {
            (true, true) => bail!("'--force' and '--merge' flags are mutually exclusive"),
            (true, false) => Conflict::Replace,
            (false, true) => Conflict::Keep,
            (false, false) => Conflict::Fail,
        };
        let Some(to) = &self.to else {
            return Err(self.kms.refusal());
        };
        self.kms.refuse_flags()?;
        let pattern = Pattern::new(&self.pattern)
            .map_err(|error| anyhow!("invalid pattern '{}': {error}", self.pattern))?;
        let (from, to) = (load(from)?, load(to)?);
        // What the key stores complain about goes where errors go.
        let telemetry = Telemetry::new(Level::WARN, io::stderr())?;
        block_on(async {
            let migration = Migration {
                source: open_store(&from.keystore, &telemetry).await?,
                target: open_store(&to.keystore, &telemetry).await?,
                conflict,
                dry_run: self.dry_run,
            };
            let result = migration.run(&pattern, &mut Progress::new(output)).await;
            migration.source.close().await;
            migration.target.close().await;
            result
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn load(file: &Path) -> Result<ServerConfig> {
    Ok(ServerConfig::load(file, &ProcessEnvironment, &Overrides::default())?.config)
}

// === impl KmsArgs ===

impl KmsArgs {
    /// Refuses what has no meaning for a target with a configuration file.
    fn refuse_flags(&self) -> Result<()> {
        let flags = [
            ("-s / --server", self.server.is_some()),
            ("-e / --enclave", self.enclave.is_some()),
            ("-a / --api-key", self.api_key.is_some()),
            ("-k / --insecure", self.insecure),
        ];
        match flags.iter().find(|(_, given)| *given) {
            Some((flag, _)) => bail!("cannot use '{flag}' and '--to' flag"),
            None => Ok(()),
        }
    }

    /// What is missing, or that servers cannot be written to yet.
    fn refusal(&self) -> anyhow::Error {
        let unset = |flag: &Option<String>, variable| {
            flag.is_none() && env::var_os(variable).is_none_or(|value| value.is_empty())
        };
        if unset(&self.server, "MINIO_KMS_SERVER") {
            anyhow!("missing migration target. Use '--to' or '--server'")
        } else if unset(&self.enclave, "MINIO_KMS_ENCLAVE") {
            anyhow!("no KMS enclave specified. Use '--enclave'")
        } else if unset(&self.api_key, "MINIO_KMS_API_KEY") {
            anyhow!("no KMS API key specified. Use '--api-key'")
        } else {
            anyhow!("migration to a MinIO KMS server is not available in this build. Use '--to'")
        }
    }
}

// === impl Migration ===

impl Migration {
    async fn run(&self, pattern: &Pattern, progress: &mut Progress) -> Result<()> {
        let mut names = all_names(&*self.source, "").await?;
        names.retain(|name| pattern.matches(name));
        let taken: BTreeSet<_> = match self.dry_run {
            true => all_names(&*self.target, "").await?.into_iter().collect(),
            false => BTreeSet::new(),
        };
        progress.start(names.len())?;
        let mut interrupt = pin!(signal::ctrl_c());
        for name in &names {
            // Between two keys only: a key that is being replaced must not get lost.
            tokio::select! {
                biased;
                _ = &mut interrupt => bail!(Interrupted),
                () = future::ready(()) => {}
            }
            let outcome = match self.dry_run {
                true => self.foresee(taken.contains(name)),
                false => self.copy(name).await,
            };
            let outcome =
                outcome.map_err(|error| anyhow!("failed to migrate '{name}': {error}"))?;
            progress.advance(name, outcome)?;
        }
        progress.finish(self.dry_run)
    }

    /// Copies the value of one key as it is, whatever it contains.
    async fn copy(&self, name: &str) -> Result<Outcome, Error> {
        let value = self.source.get(name).await?;
        match (self.target.create(name, &value).await, self.conflict) {
            (Ok(()), _) => Ok(Outcome::Migrated),
            (Err(Error::KeyExists), Conflict::Keep) => Ok(Outcome::Skipped),
            (Err(Error::KeyExists), Conflict::Replace) => {
                self.target.delete(name).await?;
                self.target
                    .create(name, &value)
                    .await
                    .map(|()| Outcome::Replaced)
            }
            (Err(error), _) => Err(error),
        }
    }

    fn foresee(&self, taken: bool) -> Result<Outcome, Error> {
        match (taken, self.conflict) {
            (false, _) => Ok(Outcome::Migrated),
            (true, Conflict::Keep) => Ok(Outcome::Skipped),
            (true, Conflict::Replace) => Ok(Outcome::Replaced),
            (true, Conflict::Fail) => Err(Error::KeyExists),
        }
    }
}

// === impl Progress ===

impl Progress {
    fn new(output: Output) -> Self {
        Self {
            output,
            bar: ProgressBar::hidden(),
            migrated: 0,
        }
    }

    fn start(&mut self, keys: usize) -> Result<()> {
        if self.output.scripted() {
            return Ok(());
        }
        output::print("Starting key migration:\n\n")?;
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} keys")?;
        self.bar = ProgressBar::new(u64::try_from(keys)?).with_style(style);
        Ok(())
    }

    fn advance(&mut self, name: &str, outcome: Outcome) -> Result<()> {
        self.bar.inc(1);
        if outcome != Outcome::Skipped {
            self.migrated += 1;
        }
        if self.output.scripted() {
            output::print(&output::json_line(&Event {
                name,
                status: outcome,
            })?)?;
        }
        Ok(())
    }

    fn finish(&self, dry_run: bool) -> Result<()> {
        self.bar.finish_and_clear();
        if self.output.scripted() {
            let totals = Totals {
                migrated: self.migrated,
                dry_run,
            };
            return Ok(output::print(&output::json_line(&totals)?)?);
        }
        Ok(output::print(&match (self.migrated, dry_run) {
            (0, _) => "Migration succeeded! No keys migrated.\n".to_owned(),
            (keys, false) => format!("Migrated {keys:>6} keys successfully!\n"),
            (keys, true) => format!("Would migrate {keys:>6} keys.\n"),
        })?)
    }
}
