//! `minkms add-policy`, `rm-policy`, `ls-policy`, `get-policy`, `stat-policy` and
//! `set-policy`.

mod file;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use jiff::Timestamp;
use keystead_wire_kms::Command;
use keystead_wire_kms::message::{PolicyStatusResponse, RuleSet};
use serde::Serialize;

use crate::output::{self, Output};

use super::client::{EnclaveArgs, all_pages};
use super::key::warn_about;
use super::table::Table;
use super::text::{creator, field, moment};

#[derive(Args)]
pub(super) struct AddPolicyArgs {
    #[command(flatten)]
    enclave: EnclaveArgs,

    /// Name of the policy
    name: String,

    /// JSON file with the rules; '-' reads standard input
    file: PathBuf,
}

#[derive(Args)]
pub(super) struct RmPolicyArgs {
    #[command(flatten)]
    enclave: EnclaveArgs,

    /// Names of the policies
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

#[derive(Args)]
pub(super) struct LsPolicyArgs {
    #[command(flatten)]
    enclave: EnclaveArgs,

    /// List only names that start like this
    #[arg(default_value = "", hide_default_value = true)]
    prefix: String,
}

#[derive(Args)]
pub(super) struct GetPolicyArgs {
    #[command(flatten)]
    enclave: EnclaveArgs,

    /// Names of the policies
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

#[derive(Args)]
pub(super) struct StatPolicyArgs {
    #[command(flatten)]
    enclave: EnclaveArgs,

    /// Names of the policies
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

#[derive(Args)]
pub(super) struct SetPolicyArgs {
    #[command(flatten)]
    enclave: EnclaveArgs,

    /// Name of the policy; an empty one takes the identity's policy away
    policy: String,

    /// The identity, a user of the enclave
    identity: String,
}

/// The rules in the form of a policy file.
#[derive(Serialize)]
struct Document<'a> {
    allow: &'a BTreeMap<String, RuleSet>,
    deny: &'a BTreeMap<String, RuleSet>,
}

// === impl AddPolicyArgs ===

impl AddPolicyArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let request = file::read(&self.file, self.name)?;
        warn_about(&request.name);
        let import = Command::ImportKey.name();
        if request.allow.contains_key(import) || request.deny.contains_key(import) {
            output::note(&format!(
                "WARNING: the policy names {import}, so that clients of MinIO cannot read it back\n"
            ));
        }
        self.enclave.run(async |enclave| {
            enclave.create_policy(&request).await?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl RmPolicyArgs ===

impl RmPolicyArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        self.enclave.run(async |enclave| {
            for name in &self.names {
                enclave.delete_policy(name).await?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl LsPolicyArgs ===

impl LsPolicyArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        self.enclave.run(async |enclave| {
            let now = Timestamp::now();
            let mut table = Table::new(["Policy", "Created", "Creator"]);
            let list = async |page| {
                let page = enclave.list_policies(page).await?;
                Ok((page.policies, page.continue_at))
            };
            all_pages(&self.prefix, list, |policies| {
                for policy in policies {
                    if output.json {
                        output::print(&output::json_line(&policy)?)?;
                        continue;
                    }
                    let created = moment(policy.created_at.as_ref(), now);
                    table.push([policy.name, created, creator(&policy.created_by)]);
                }
                Ok(())
            })
            .await?;
            output::print(&table.layout())?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl GetPolicyArgs ===

impl GetPolicyArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        self.enclave.run(async |enclave| {
            for policy in enclave.get_policies(&self.names).await? {
                let document = Document {
                    allow: &policy.allow,
                    deny: &policy.deny,
                };
                output::print(&match output.json {
                    true => output::json_line(&policy)?,
                    // What 'add-policy' takes.
                    false => serde_json::to_string_pretty(&document)? + "\n",
                })?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl StatPolicyArgs ===

impl StatPolicyArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        self.enclave.run(async |enclave| {
            let now = Timestamp::now();
            for policy in enclave.policy_status(&self.names).await? {
                output::print(&match output.json {
                    true => output::json_line(&policy)?,
                    false => description(&policy, now),
                })?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn description(policy: &PolicyStatusResponse, now: Timestamp) -> String {
    [
        field("Policy", &policy.name),
        field("Created", moment(policy.created_at.as_ref(), now)),
        field("Creator", creator(&policy.created_by)),
    ]
    .concat()
}

// === impl SetPolicyArgs ===

impl SetPolicyArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        self.enclave.run(async |enclave| {
            let assigned = enclave.assign_policy(&self.policy, &self.identity);
            assigned.await?;
            Ok(ExitCode::SUCCESS)
        })
    }
}
