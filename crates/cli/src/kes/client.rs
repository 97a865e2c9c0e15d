//! Connects commands to a server.

use std::future::Future;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use jiff::Timestamp;
use keystead_client_kes::{Client, Credentials, endpoints, endpoints_from_env};
use keystead_config::{Environment, ProcessEnvironment};
use keystead_crypto::SystemRandom;
use keystead_tls::{ClientCredential, ClientSettings, Trust};
use tokio::{runtime, signal};

use crate::password;

/// Options of every command that talks to a server.
#[derive(Args, Debug)]
pub(crate) struct ClientArgs {
    /// Skip the verification of the server's certificate
    #[arg(short = 'k', long)]
    insecure: bool,

    // Old scripts name an enclave; servers have had none since 2023.
    #[arg(short, long, value_name = "NAME", hide = true)]
    enclave: Option<String>,
}

/// Which server to talk to and as whom, where that is not left to the environment.
#[derive(Args, Debug, Default)]
pub(crate) struct Target {
    /// The server, or several separated by commas
    #[arg(short, long, value_name = "HOST[:PORT]")]
    server: Option<String>,

    /// API key to authenticate with
    #[arg(short, long, value_name = "KEY")]
    api_key: Option<String>,
}

/// The command was interrupted from the keyboard.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

// === impl ClientArgs ===

impl ClientArgs {
    /// Whether servers are not verified.
    pub(crate) fn is_insecure(&self) -> bool {
        self.insecure
    }

    /// Runs `task` with a client for the server that the environment names.
    pub(crate) fn run(
        &self,
        task: impl AsyncFnOnce(Client) -> Result<ExitCode>,
    ) -> Result<ExitCode> {
        self.run_at(Target::default(), task)
    }

    /// Runs `task` with a client for `target`, until somebody interrupts it.
    pub(crate) fn run_at(
        &self,
        target: Target,
        task: impl AsyncFnOnce(Client) -> Result<ExitCode>,
    ) -> Result<ExitCode> {
        let client = connect(self.insecure, target)?;
        block_on(async {
            tokio::select! {
                result = task(client) => result,
                _ = signal::ctrl_c() => Err(Interrupted.into()),
            }
        })
    }
}

fn connect(insecure: bool, target: Target) -> Result<Client> {
    let var = |name: &str| ProcessEnvironment.var(name);
    let endpoints = match target.server {
        Some(servers) => endpoints(&servers),
        None => endpoints_from_env(var),
    };
    let credential = match Credentials::from_env(target.api_key, var)? {
        Credentials::ApiKey(key) => {
            ClientCredential::from_api_key(&key, Timestamp::now(), &SystemRandom)?
        }
        Credentials::Files { key, certificate } => {
            let password = || password::ask("Enter password for private key: ");
            ClientCredential::from_files(&certificate, &key, &password)?
        }
    };
    let tls = keystead_tls::client(ClientSettings {
        credential: Some(credential),
        trust: if insecure {
            Trust::Insecure
        } else {
            Trust::System
        },
    })?;
    Ok(Client::new(endpoints, tls)?)
}

/// Runs a command to its end, in this thread.
pub(crate) fn block_on<T>(task: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime
        .context("failed to start the runtime")?
        .block_on(task)
}
