//! `kes server`: starts a server and keeps it until a signal ends it.

pub(crate) mod addresses;
mod banner;
mod life;
pub(crate) mod occasions;
pub(crate) mod protection;
mod source;
mod voice;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use keystead_config::kes::{ClientAuth, Overrides};
use keystead_crypto::SystemRandom;
use keystead_identity::ApiKey;
use tokio::runtime;

use crate::build::Build;
use crate::output::{self, Output};

use self::source::Source;
use self::voice::Voice;

#[derive(Args, Debug)]
pub(crate) struct ServerArgs {
    /// Address to listen on, in place of the one in the configuration file
    #[arg(long, value_name = "[IP]:PORT")]
    addr: Option<String>,

    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Start without files: keys in memory, a new certificate and a new admin
    #[arg(long)]
    dev: bool,

    /// Verify client certificates: on or off (deprecated: set 'tls.auth')
    #[arg(long, value_name = "ON|OFF")]
    auth: Option<String>,

    /// TLS private key, if the file names none (deprecated: set 'tls.key')
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// TLS certificate, if the file names none (deprecated: set 'tls.cert')
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,

    /// Fail if memory cannot be locked
    #[arg(long)]
    mlock: bool,

    /// Print no banner
    #[arg(short, long)]
    quiet: bool,
}

// === impl ServerArgs ===

impl ServerArgs {
    pub(crate) fn run(self, output: Output, build: Build) -> Result<ExitCode> {
        let source = match (self.config, self.dev) {
            (Some(_), true) => bail!("'--config' flag is not supported in development mode"),
            (Some(file), false) => Source::File(file),
            (None, true) => Source::Development(ApiKey::generate(&SystemRandom)?),
            (None, false) => bail!(
                "open : no such file or directory. \
                 Use '--config' to name a configuration file, or '--dev' to start without one"
            ),
        };
        let deprecated = [
            ("--auth", "tls.auth", self.auth.is_some()),
            ("--key", "tls.key", self.key.is_some()),
            ("--cert", "tls.cert", self.cert.is_some()),
        ];
        for (flag, setting, _) in deprecated.iter().filter(|(.., given)| *given) {
            output::note(&format!(
                "WARNING: '{flag}' flag is deprecated. Set '{setting}' in the configuration file.\n"
            ));
        }
        let overrides = Overrides {
            address: self.addr,
            auth: self.auth.as_deref().map(client_auth).transpose()?,
            key: self.key,
            cert: self.cert,
        };
        let voice = Voice {
            build,
            json: output.json,
            quiet: self.quiet,
            memory_locked: protection::lock_memory(self.mlock)?,
        };
        protection::forbid_core_dumps()?;
        runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("failed to start the runtime")?
            .block_on(life::live(source, overrides, voice))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn client_auth(text: &str) -> Result<ClientAuth> {
    match text.to_ascii_lowercase().as_str() {
        "on" => Ok(ClientAuth::On),
        "off" => Ok(ClientAuth::Off),
        _ => bail!("invalid option for --auth: {text:?}"),
    }
}
