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
use super::destination::{Destination, KmsArgs};
use super::interrupts::Interrupts;
use super::kms::KmsTarget;
use super::migration::Migration;
use super::patience::Patient;
use super::progress::Progress;
use super::sample::Sample;
use super::stores::{Opened, Stores};
use super::target::Target;

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

/// Arguments that make sense together.
struct Order {
    from: PathBuf,
    to: Destination,
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
        let to = match self.to {
            Some(file) => {
                self.kms.refuse_flags()?;
                Destination::File(file)
            }
            None => Destination::Kms(self.kms.connect()?),
        };
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

// === impl Order ===

impl Order {
    async fn carry_out(self, output: Output) -> Result<()> {
        let mut interrupts = Interrupts::new()?;
        let stores = tokio::select! {
            stores = Stores::open(&self.from, self.to, self.dry_run) => stores?,
            () = interrupts.next() => bail!(Interrupted),
        };
        let mut progress = Progress::new(output, anstream::stdout());
        let halt = CancellationToken::new();
        let notes = progress.notes();
        let side = |name, store: &Arc<_>| {
            Patient::new(name, Arc::clone(store), halt.clone(), Arc::clone(&notes))
        };
        let copier = Arc::new(Copier {
            source: side("source", &stores.source),
            target: match &stores.target {
                Opened::Store(store) => Target::Store(side("target", store)),
                Opened::Kms(enclave) => Target::Kms(KmsTarget::new(
                    enclave.clone(),
                    halt.clone(),
                    Arc::clone(&notes),
                )),
            },
            conflict: self.conflict,
        });
        let migration = Migration {
            copier: Arc::clone(&copier),
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
        if let Target::Kms(kms) = &copier.target {
            kms.tell_what_stays_behind(&*notes);
        }
        result
    }
}
