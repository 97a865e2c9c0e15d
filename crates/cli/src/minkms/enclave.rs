//! `minkms add-enclave`, `rm-enclave`, `ls-enclave` and `stat-enclave`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use jiff::Timestamp;
use keystead_wire_kms::message::EnclaveStatusResponse;

use crate::confirm;
use crate::output::{self, Output};

use super::client::{ClientArgs, all_pages};
use super::key::warn_about;
use super::table::Table;
use super::text::{creator, field, moment};

#[derive(Args)]
pub(super) struct AddEnclaveArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Name of the enclave
    name: String,
}

#[derive(Args)]
pub(super) struct RmEnclaveArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Do not ask on a terminal
    #[arg(short, long)]
    force: bool,

    /// Names of the enclaves
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

#[derive(Args)]
pub(super) struct LsEnclaveArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// List only names that start like this
    #[arg(default_value = "", hide_default_value = true)]
    prefix: String,
}

#[derive(Args)]
pub(super) struct StatEnclaveArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Names of the enclaves
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

// === impl AddEnclaveArgs ===

impl AddEnclaveArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        warn_about(&self.name);
        self.client.run(async |client| {
            client.create_enclave(&self.name).await?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl RmEnclaveArgs ===

impl RmEnclaveArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let question = format!(
            "Delete {} with all keys? What was encrypted with them is lost. [y/N] ",
            self.names.join(", ")
        );
        if !self.force && !confirm::ask(&question)? {
            return Ok(ExitCode::FAILURE);
        }
        self.client.run(async |client| {
            for name in &self.names {
                client.delete_enclave(name).await?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl LsEnclaveArgs ===

impl LsEnclaveArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        self.client.run(async |client| {
            let now = Timestamp::now();
            let mut table = Table::new(["Enclave", "Created", "Creator"]);
            let list = async |page| {
                let page = client.list_enclaves(page).await?;
                Ok((page.enclaves, page.continue_at))
            };
            all_pages(&self.prefix, list, |enclaves| {
                for enclave in enclaves {
                    if output.json {
                        output::print(&output::json_line(&enclave)?)?;
                        continue;
                    }
                    let created = moment(enclave.created_at.as_ref(), now);
                    table.push([enclave.name, created, creator(&enclave.created_by)]);
                }
                Ok(())
            })
            .await?;
            output::print(&table.layout())?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl StatEnclaveArgs ===

impl StatEnclaveArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        self.client.run(async |client| {
            let now = Timestamp::now();
            for enclave in client.enclave_status(&self.names).await? {
                output::print(&match output.json {
                    true => output::json_line(&enclave)?,
                    false => description(&enclave, now),
                })?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn description(enclave: &EnclaveStatusResponse, now: Timestamp) -> String {
    [
        field("Enclave", &enclave.name),
        field("Created", moment(enclave.created_at.as_ref(), now)),
        field("Creator", creator(&enclave.created_by)),
    ]
    .concat()
}
