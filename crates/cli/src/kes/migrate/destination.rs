use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use keystead_client_kms::{Enclave, endpoints};

use crate::minkms::{api_key, connect, variable};

/// Where keys go to.
pub(super) enum Destination {
    /// The key store of a configuration file.
    File(PathBuf),
    /// A MinIO KMS server.
    Kms(Enclave),
}

/// A MinIO KMS server as target.
#[derive(Args, Debug)]
pub(super) struct KmsArgs {
    /// MinIO KMS server to write to, or several separated by commas
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

// === impl KmsArgs ===

impl KmsArgs {
    /// Refuses what has no meaning for a target with a configuration file.
    pub(super) fn refuse_flags(&self) -> Result<()> {
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

    /// The enclave that flags and environment name.
    pub(super) fn connect(self) -> Result<Enclave> {
        let or = |flag: Option<String>, name| flag.or_else(|| variable(name));
        let server = or(self.server, "MINIO_KMS_SERVER")
            .context("missing migration target. Use '--to' or '--server'")?;
        let enclave = or(self.enclave, "MINIO_KMS_ENCLAVE")
            .context("no KMS enclave specified. Use '--enclave'")?;
        let key = or(self.api_key, "MINIO_KMS_API_KEY")
            .context("no KMS API key specified. Use '--api-key'")?;
        let key = api_key(Some(key))?;
        let client = connect(endpoints(&server), &key, self.insecure)?;
        Ok(client.enclave(&enclave)?)
    }
}
