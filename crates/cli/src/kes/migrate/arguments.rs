use std::env;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use glob::Pattern;
use keystead_crypto::SystemRandom;
use tokio::runtime;
use tokio_util::sync::CancellationToken;

use crate::kes::client::Interrupted;
use crate::kes::server::protection;
use crate::output::Output;

use super::ciphertexts::{self, Evidence};
use super::copy::{Conflict, Copier};
use super::interrupts::Interrupts;
use super::migration::Migration;
use super::patience::Patient;
use super::progress::Progress;
use super::sample::Sample;
use super::stores::Stores;

#[derive(Args, Debug)]
pub(crate) struct MigrateArgs {
    /// Configuration file with the key store to read from
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,

    /// Configuration file with the key store to write to
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,

    /// Replace keys that the target has with another value
    #[arg(short, long)]
    force: bool,

    /// Keep keys that the target has with another value
    #[arg(long)]
    merge: bool,

    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,

    /// Go on with the other keys after one has failed
    #[arg(long)]
    keep_going: bool,

    /// How many keys to prove on the target: a number or 'all'
    #[arg(long, value_name = "KEYS", default_value = "16")]
    proof: Sample,

    /// File with lines of a key name and a ciphertext to open with the target's key
    #[arg(long, value_name = "FILE")]
    proof_ciphertext: Option<PathBuf>,

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

/// Arguments that make sense together.
struct Order {
    from: PathBuf,
    to: PathBuf,
    conflict: Conflict,
    dry_run: bool,
    keep_going: bool,
    sample: Sample,
    evidence: Vec<Evidence>,
    pattern: Pattern,
}

// === impl MigrateArgs ===

impl MigrateArgs {
    pub(crate) fn run(self, output: Output) -> Result<ExitCode> {
        let order = self.check()?;
        // Every key passes through the memory of this process.
        protection::forbid_core_dumps()?;
        runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("failed to start the runtime")?
            .block_on(order.carry_out(output))?;
        Ok(ExitCode::SUCCESS)
    }

    fn check(self) -> Result<Order> {
        let Some(from) = self.from else {
            bail!("no source specified. Use '--from' flag");
        };
        let conflict = match (self.force, self.merge) {
            (true, true) => bail!("'--force' and '--merge' flags are mutually exclusive"),
            (true, false) => Conflict::Replace,
            (false, true) => Conflict::Keep,
            (false, false) => Conflict::Fail,
        };
        let Some(to) = self.to else {
            return Err(self.kms.refusal());
        };
        self.kms.refuse_flags()?;
        let pattern = Pattern::new(&self.pattern)
            .map_err(|error| anyhow!("invalid pattern '{}': {error}", self.pattern))?;
        let evidence = self.proof_ciphertext.as_deref().map(ciphertexts::read);
        Ok(Order {
            from,
            to,
            conflict,
            dry_run: self.dry_run,
            keep_going: self.keep_going,
            sample: self.proof,
            evidence: evidence.transpose()?.unwrap_or_default(),
            pattern,
        })
    }
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

// === impl Order ===

impl Order {
    async fn carry_out(self, output: Output) -> Result<()> {
        let mut interrupts = Interrupts::new()?;
        let stores = tokio::select! {
            stores = Stores::open(&self.from, &self.to, self.dry_run) => stores?,
            () = interrupts.next() => bail!(Interrupted),
        };
        let mut progress = Progress::new(output, anstream::stdout());
        let halt = CancellationToken::new();
        let notes = progress.notes();
        let side = |name, store| Patient::new(name, store, halt.clone(), Arc::clone(&notes));
        let migration = Migration {
            copier: Arc::new(Copier {
                source: side("source", Arc::clone(&stores.source)),
                target: side("target", Arc::clone(&stores.target)),
                conflict: self.conflict,
            }),
            pattern: self.pattern,
            dry_run: self.dry_run,
            keep_going: self.keep_going,
            sample: self.sample,
            evidence: self.evidence,
            random: Arc::new(SystemRandom),
            halt: halt.clone(),
        };
        let result = tokio::select! {
            result = migration.run(&mut progress) => result,
            () = interrupts.twice(&halt, &*notes) => bail!(Interrupted),
        };
        stores.close().await;
        result
    }
}
