//! `minkms add-key`, `rm-key`, `ls-key` and `stat-key`.

use std::io::{self, Read};
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use clap::Args;
use jiff::Timestamp;
use keystead_crypto::decode_base64;
use keystead_wire_kms::Name;
use keystead_wire_kms::message::{
    CreateKeyRequest, DeleteKeyRequest, ImportKeyRequest, KeyStatusRequest, KeyStatusResponse,
};
use zeroize::Zeroizing;

use crate::confirm;
use crate::output::{self, Output};

use super::client::{EnclaveArgs, all_pages};
use super::table::Table;
use super::text::{creator, field, moment};

/// The longest key that is read from standard input, in bytes.
const MAX_INPUT: u64 = 1024;

#[derive(Args)]
pub(super) struct AddKeyArgs {
    #[command(flatten)]
    enclave: EnclaveArgs,

    /// Type of the key, AES256 or ChaCha20 [default: the server chooses]
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,

    /// Add a version to an existing key, so that it is used from now on
    #[arg(long)]
    version: bool,

    /// Import these 32 bytes in base64; '-' reads them from standard input
    #[arg(long, value_name = "BASE64", allow_hyphen_values = true)]
    import: Option<String>,

    /// Name of the key
    name: String,
}

#[derive(Args)]
pub(super) struct RmKeyArgs {
    #[command(flatten)]
    enclave: EnclaveArgs,

    /// Version to delete [default: the latest]
    #[arg(short, long, value_name = "N")]
    version: Option<u32>,

    /// Delete all versions
    #[arg(long)]
    all: bool,

    /// Do not ask on a terminal
    #[arg(short, long)]
    force: bool,

    /// Names of the keys
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

#[derive(Args)]
pub(super) struct LsKeyArgs {
    #[command(flatten)]
    enclave: EnclaveArgs,

    /// List the versions of the key of this name
    #[arg(long, value_name = "NAME", conflicts_with = "prefix")]
    versions: Option<String>,

    /// List only names that start like this
    #[arg(default_value = "", hide_default_value = true)]
    prefix: String,
}

#[derive(Args)]
pub(super) struct StatKeyArgs {
    #[command(flatten)]
    enclave: EnclaveArgs,

    /// Version to describe [default: the latest]
    #[arg(short, long, value_name = "N")]
    version: Option<u32>,

    /// Names of the keys
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

/// Warns about a name that the vendor's Kubernetes resources do not take.
pub(super) fn warn_about(name: &str) {
    if !Name::is_portable(name) {
        output::note(&format!(
            "WARNING: '{name}' does not fit into the Kubernetes resources of MinIO KMS: they take \
             at most 63 characters of A-Z, a-z, 0-9, '-', '_' and '.'\n"
        ));
    }
}

// === impl AddKeyArgs ===

impl AddKeyArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        if self.version && self.import.is_some() {
            bail!("'--version' and '--import' cannot be used at the same time");
        }
        let key = self.import.as_deref().map(imported).transpose()?;
        warn_about(&self.name);
        let (name, kind) = (self.name, self.kind.unwrap_or_default());
        self.enclave.run(async |enclave| {
            match key {
                Some(key) => {
                    let request = ImportKeyRequest {
                        name,
                        r#type: kind,
                        key: key.to_vec(),
                    };
                    enclave.import_key(&request).await?;
                }
                None => {
                    let request = CreateKeyRequest {
                        name,
                        r#type: kind,
                        add_version: self.version,
                    };
                    enclave.create_key(&request).await?;
                }
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// The bytes of a key that is given in base64, or comes from standard input.
fn imported(text: &str) -> Result<Zeroizing<Vec<u8>>> {
    let mut input = Zeroizing::new(String::new());
    let text = match text {
        "-" => {
            io::stdin().take(MAX_INPUT).read_to_string(&mut input)?;
            input.trim()
        }
        text => text,
    };
    decode_base64(text.as_bytes())
        .map(|key| Zeroizing::new(key.to_vec()))
        .map_err(|error| anyhow!("invalid key: {error}"))
}

// === impl RmKeyArgs ===

impl RmKeyArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        if self.all && self.version.is_some() {
            bail!("'--version' and '--all' cannot be used at the same time");
        }
        if !self.force && !confirm::ask(&self.question())? {
            return Ok(ExitCode::FAILURE);
        }
        self.enclave.run(async |enclave| {
            for name in &self.names {
                let request = DeleteKeyRequest {
                    name: name.clone(),
                    version: self.version.unwrap_or(0),
                    all_versions: self.all,
                };
                enclave.delete_key(&request).await?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }

    fn question(&self) -> String {
        let what = match (self.all, self.version) {
            (true, _) => "all versions".to_owned(),
            (false, Some(version)) => format!("version {version}"),
            (false, None) => "the latest version".to_owned(),
        };
        let names = self.names.join(", ");
        format!("Delete {what} of {names}? What was encrypted with it is lost. [y/N] ")
    }
}

// === impl LsKeyArgs ===

impl LsKeyArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        self.enclave.run(async |enclave| {
            let now = Timestamp::now();
            let mut table = Table::new(["Key", "Version", "Type", "Created", "Creator"]);
            let list = async |page| {
                let page = match self.versions {
                    Some(_) => enclave.list_key_versions(page).await?,
                    None => enclave.list_keys(page).await?,
                };
                Ok((page.keys, page.continue_at))
            };
            let prefix = self.versions.as_ref().unwrap_or(&self.prefix);
            all_pages(prefix, list, |keys| {
                for key in keys {
                    if output.json {
                        output::print(&output::json_line(&key)?)?;
                        continue;
                    }
                    table.push([
                        key.name,
                        key.version.to_string(),
                        key.r#type,
                        moment(key.created_at.as_ref(), now),
                        creator(&key.created_by),
                    ]);
                }
                Ok(())
            })
            .await?;
            output::print(&table.layout())?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl StatKeyArgs ===

impl StatKeyArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        let requests = self.names.into_iter().map(|name| KeyStatusRequest {
            name,
            version: self.version.unwrap_or(0),
        });
        let requests: Vec<_> = requests.collect();
        self.enclave.run(async |enclave| {
            let now = Timestamp::now();
            for key in enclave.key_status(&requests).await? {
                output::print(&match output.json {
                    true => output::json_line(&key)?,
                    false => description(&key, now),
                })?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn description(key: &KeyStatusResponse, now: Timestamp) -> String {
    [
        field("Key", &key.name),
        field("Version", key.version),
        field("Type", &key.r#type),
        field("Created", moment(key.created_at.as_ref(), now)),
        field("Creator", creator(&key.created_by)),
    ]
    .concat()
}
