//! `minkms add-identity`, `rm-identity`, `ls-identity` and `get-identity`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use jiff::Timestamp;
use keystead_crypto::SystemRandom;
use keystead_identity::{KmsApiKey, KmsIdentity};
use keystead_wire_kms::Privilege;
use keystead_wire_kms::message::{CreateIdentityRequest, IdentityResponse};

use crate::output::{self, Output};

use super::client::{EnclaveArgs, all_pages};
use super::local;
use super::table::Table;
use super::text::{creator, field, moment};

#[derive(Args)]
pub(super) struct AddIdentityArgs {
    #[command(flatten)]
    enclave: EnclaveArgs,

    /// Register administrators of the enclave in place of users
    #[arg(long)]
    admin: bool,

    /// Register service accounts, which have your rights
    #[arg(long)]
    service: bool,

    /// Tag of the identities
    #[arg(long, value_name = "KEY=VALUE", value_parser = tag)]
    tag: Vec<(String, String)>,

    /// Identities [default: that of an API key generated now]
    #[arg(value_name = "IDENTITY")]
    identities: Vec<String>,
}

#[derive(Args)]
pub(super) struct RmIdentityArgs {
    #[command(flatten)]
    enclave: EnclaveArgs,

    /// Identities
    #[arg(value_name = "IDENTITY", required = true)]
    identities: Vec<String>,
}

#[derive(Args)]
pub(super) struct LsIdentityArgs {
    #[command(flatten)]
    enclave: EnclaveArgs,

    /// List only identities that start like this
    #[arg(default_value = "", hide_default_value = true)]
    prefix: String,
}

#[derive(Args)]
pub(super) struct GetIdentityArgs {
    #[command(flatten)]
    enclave: EnclaveArgs,

    /// Identities [default: yours]
    #[arg(value_name = "IDENTITY")]
    identities: Vec<String>,
}

fn tag(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| "not KEY=VALUE".to_owned())
}

// === impl AddIdentityArgs ===

impl AddIdentityArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        if self.admin && self.service {
            bail!("'--admin' and '--service' cannot be used at the same time");
        }
        let identities = self.identities.iter().map(|text| text.parse());
        let mut identities: Vec<KmsIdentity> = identities.collect::<Result<_, _>>()?;
        if identities.iter().any(KmsIdentity::is_nobody) {
            bail!("the identity is empty");
        }
        let generated = match identities.is_empty() {
            true => Some(KmsApiKey::generate(&SystemRandom)?),
            false => None,
        };
        identities.extend(generated.as_ref().map(KmsApiKey::identity));
        let privilege = match self.admin {
            true => Privilege::Admin.as_str(),
            false => "",
        };
        let tags: BTreeMap<_, _> = self.tag.into_iter().collect();
        self.enclave.run(async |enclave| {
            for identity in identities {
                let request = CreateIdentityRequest {
                    identity: identity.to_string(),
                    privilege: privilege.to_owned(),
                    is_service_account: self.service,
                    tags: tags.clone(),
                };
                enclave.create_identity(&request).await?;
            }
            if let Some(key) = generated {
                local::show_new_key(&key, output)?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl RmIdentityArgs ===

impl RmIdentityArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        self.enclave.run(async |enclave| {
            for identity in &self.identities {
                enclave.delete_identity(identity).await?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl LsIdentityArgs ===

impl LsIdentityArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        self.enclave.run(async |enclave| {
            let now = Timestamp::now();
            let mut table = Table::new(["Identity", "Privilege", "Policy", "Created"]);
            let list = async |page| {
                let page = enclave.list_identities(page).await?;
                Ok((page.identities, page.continue_at))
            };
            all_pages(&self.prefix, list, |identities| {
                for identity in identities {
                    if output.json {
                        output::print(&output::json_line(&identity)?)?;
                        continue;
                    }
                    let created = moment(identity.created_at.as_ref(), now);
                    table.push([
                        identity.identity.clone(),
                        privilege(&identity),
                        creator(&identity.policy),
                        created,
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

fn privilege(identity: &IdentityResponse) -> String {
    let privilege = Privilege::from_number(identity.privilege);
    let privilege = privilege.map_or("unknown", Privilege::as_str);
    match identity.is_service_account {
        true => format!("{privilege} (service)"),
        false => privilege.to_owned(),
    }
}

// === impl GetIdentityArgs ===

impl GetIdentityArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        let mut identities = self.identities;
        if identities.is_empty() {
            identities.push(self.enclave.client.identity()?.to_string());
            // Root belongs to no enclave.
            if self.enclave.name().is_none() {
                return self.enclave.client.run(async |client| {
                    for identity in &identities {
                        print(&client.get_root_identity(identity).await?, output)?;
                    }
                    Ok(ExitCode::SUCCESS)
                });
            }
        }
        self.enclave.run(async |enclave| {
            for identity in enclave.get_identities(&identities).await? {
                print(&identity, output)?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn print(identity: &IdentityResponse, output: Output) -> Result<()> {
    output::print(&match output.json {
        true => output::json_line(identity)?,
        false => description(identity, Timestamp::now()),
    })?;
    Ok(())
}

fn description(identity: &IdentityResponse, now: Timestamp) -> String {
    let mut text = [
        field("Identity", &identity.identity),
        field("Privilege", privilege(identity)),
        field("Policy", creator(&identity.policy)),
    ]
    .concat();
    if identity.created_at.is_some() {
        text += &field("Created", moment(identity.created_at.as_ref(), now));
        text += &field("Creator", creator(&identity.created_by));
    }
    for (index, account) in identity.service_accounts.iter().enumerate() {
        text += &field(if index == 0 { "Services" } else { "" }, account);
    }
    for (index, (key, value)) in identity.tags.iter().enumerate() {
        let label = if index == 0 { "Tags" } else { "" };
        text += &field(label, format_args!("{key}={value}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_name_what_belongs_to_an_identity() {
        let identity = IdentityResponse {
            identity: "h1:a".to_owned(),
            privilege: 3,
            policy: "p".to_owned(),
            service_accounts: vec!["h1:b".to_owned(), "h1:c".to_owned()],
            tags: [("team".to_owned(), "storage".to_owned())].into(),
            ..IdentityResponse::default()
        };
        let text = description(&identity, Timestamp::now());
        assert_eq!(
            anstream::adapter::strip_str(&text).to_string(),
            "Identity     h1:a\n\
             Privilege    User\n\
             Policy       p\n\
             Services     h1:b\n\
             \x20            h1:c\n\
             Tags         team=storage\n"
        );
    }
}
