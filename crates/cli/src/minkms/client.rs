//! Connects commands to servers.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use jiff::Timestamp;
use keystead_client_kms::{Client, Enclave, endpoints_from_env};
use keystead_config::{Environment, ProcessEnvironment};
use keystead_crypto::SystemRandom;
use keystead_identity::{KmsApiKey, KmsIdentity};
use keystead_tls::{ClientCredential, ClientSettings, Trust};
use keystead_wire_kms::message::ListRequest;
use tokio::signal;

use crate::kes::{Interrupted, block_on};

/// Options of every command that talks to a server.
#[derive(Args)]
pub(super) struct ClientArgs {
    /// API key to authenticate with [default: $MINIO_KMS_API_KEY]
    #[arg(short, long, alias = "id", value_name = "KEY")]
    api_key: Option<String>,

    /// Skip the verification of the server's certificate
    #[arg(short = 'k', long)]
    insecure: bool,
}

/// Options of every command inside an enclave.
#[derive(Args)]
pub(super) struct EnclaveArgs {
    #[command(flatten)]
    pub(super) client: ClientArgs,

    /// Enclave to work in [default: $MINIO_KMS_ENCLAVE]
    #[arg(short, long, value_name = "NAME")]
    enclave: Option<String>,
}

/// Where the certificates of further authorities are, below the home folder.
const AUTHORITIES: &str = ".minkms/certs/CAs";

/// A variable that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    ProcessEnvironment.var(name).filter(|text| !text.is_empty())
}

// === impl ClientArgs ===

impl ClientArgs {
    /// Runs `task` with a client, until somebody interrupts it.
    pub(super) fn run(
        &self,
        task: impl AsyncFnOnce(Client) -> Result<ExitCode>,
    ) -> Result<ExitCode> {
        let client = connect(endpoints(), &self.api_key()?, self.insecure)?;
        until_interrupted(task(client))
    }

    /// Who the caller is.
    pub(super) fn identity(&self) -> Result<KmsIdentity> {
        Ok(self.api_key()?.identity())
    }

    fn api_key(&self) -> Result<KmsApiKey> {
        api_key(self.api_key.clone())
    }
}

/// Runs `task` until somebody interrupts it.
pub(super) fn until_interrupted(task: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    block_on(async {
        tokio::select! {
            result = task => result,
            _ = signal::ctrl_c() => Err(Interrupted.into()),
        }
    })
}

/// The servers that the environment names.
pub(super) fn endpoints() -> Vec<String> {
    endpoints_from_env(variable)
}

/// The API key that was given, or else that of the environment.
pub(crate) fn api_key(given: Option<String>) -> Result<KmsApiKey> {
    let text = given
        .filter(|key| !key.is_empty())
        .or_else(|| variable("MINIO_KMS_API_KEY"))
        .context("no API key specified. Use '--api-key' or set MINIO_KMS_API_KEY")?;
    Ok(KmsApiKey::parse(text.trim())?)
}

/// A client that is whoever holds `key`.
pub(crate) fn connect(servers: Vec<String>, key: &KmsApiKey, insecure: bool) -> Result<Client> {
    let credential = ClientCredential::from_kms_api_key(key, Timestamp::now(), &SystemRandom)?;
    let tls = keystead_tls::client(ClientSettings {
        credential: Some(credential),
        trust: if insecure { Trust::Insecure } else { trust() },
    })?;
    Ok(Client::new(servers, tls)?)
}

/// The system's authorities, and those that the user keeps for this program.
fn trust() -> Trust {
    let folder = env::var_os("HOME").map(|home| PathBuf::from(home).join(AUTHORITIES));
    let is_used =
        |folder: &PathBuf| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    folder
        .filter(is_used)
        .map_or(Trust::System, Trust::SystemAnd)
}

// === impl EnclaveArgs ===

impl EnclaveArgs {
    /// Runs `task` in the enclave, until somebody interrupts it.
    pub(super) fn run(
        &self,
        task: impl AsyncFnOnce(Enclave) -> Result<ExitCode>,
    ) -> Result<ExitCode> {
        let Some(enclave) = self.name() else {
            bail!("no enclave specified. Use '--enclave' or set MINIO_KMS_ENCLAVE");
        };
        self.client
            .run(async |client| task(client.enclave(&enclave)?).await)
    }

    /// The name of the enclave, if there is one.
    pub(super) fn name(&self) -> Option<String> {
        let given = self.enclave.clone().filter(|name| !name.is_empty());
        given.or_else(|| variable("MINIO_KMS_ENCLAVE"))
    }
}

/// Takes all pages of a listing, which `list` gives with the beginning of the next one.
pub(super) async fn all_pages<T>(
    prefix: &str,
    list: impl AsyncFn(ListRequest) -> Result<(Vec<T>, String)>,
    mut take: impl FnMut(Vec<T>) -> Result<()>,
) -> Result<()> {
    let mut request = ListRequest {
        // A lone star means everything, as in policies.
        prefix: prefix.strip_suffix('*').unwrap_or(prefix).to_owned(),
        ..ListRequest::default()
    };
    loop {
        let (items, next) = list(request.clone()).await?;
        let is_last = items.is_empty() || next.is_empty() || next == request.continue_at;
        take(items)?;
        if is_last {
            return Ok(());
        }
        request.continue_at = next;
    }
}
