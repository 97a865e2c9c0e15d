//! `minkms server`: starts a server and keeps it until a signal ends it.

mod banner;
mod files;
mod folder;
mod life;
mod node;
mod place;
mod source;
mod voice;

use std::env;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::runtime;

use crate::build::Build;
use crate::kes::protection;
use crate::output::Output;

use self::life::End;
use self::place::Place;
use self::source::Source;
use self::voice::Voice;

#[derive(Args)]
pub(super) struct ServerArgs {
    /// Address to listen on [default: 0.0.0.0:7373]
    #[arg(long, value_name = "IP[:PORT]")]
    address: Option<String>,

    /// Name of this server inside the cluster [default: its first IP address, with the port]
    #[arg(long, value_name = "HOST[:PORT]")]
    host: Option<String>,

    /// Configuration file [default: $HOME/.minkms/config.yaml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Start without files: everything is lost at the end
    #[arg(long)]
    dev: bool,

    /// Fail if memory cannot be locked
    #[arg(long)]
    mlock: bool,

    /// Print no banner
    #[arg(short, long)]
    quiet: bool,

    // The product needed one until 2025.
    #[arg(long, value_name = "FILE", hide = true)]
    license: Option<PathBuf>,

    /// Folder for keys, policies and identities, encrypted
    #[arg(value_name = "DIR", required_unless_present = "dev")]
    folder: Option<PathBuf>,
}

// === impl ServerArgs ===

impl ServerArgs {
    pub(super) fn run(self, output: Output, build: Build) -> Result<ExitCode> {
        let source = match (self.dev, self.config, &self.folder) {
            (true, Some(_), _) => bail!("'--config' cannot be used in development mode"),
            (true, None, Some(_)) => bail!("development mode takes no folder: it keeps nothing"),
            (true, None, None) => Source::Development,
            (false, Some(file), _) => Source::File(file),
            (false, None, _) => Source::of_home(),
        };
        let place = Place::new(self.address.as_deref(), self.host.as_deref())?;
        let voice = Voice {
            build,
            json: output.json,
            quiet: self.quiet,
            memory_locked: protection::lock_memory(self.mlock)?,
        };
        protection::forbid_core_dumps()?;
        let end = runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("failed to start the runtime")?
            .block_on(life::live(source, self.folder, place, voice))?;
        match end {
            End::Stopped => Ok(ExitCode::SUCCESS),
            End::Restart => Err(start_again()),
        }
    }
}

/// Replaces this process by a new one of the same program with the same arguments. Returns
/// only if that is not possible.
fn start_again() -> anyhow::Error {
    let program = match env::current_exe() {
        Ok(program) => program,
        Err(error) => return error.into(),
    };
    let error = Command::new(program).args(env::args_os().skip(1)).exec();
    anyhow::Error::from(error).context("failed to start again")
}
