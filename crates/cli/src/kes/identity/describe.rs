//! `kes identity info`: what the server knows about an identity.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;
use jiff::tz::TimeZone;
use keystead_wire_kes::{DescribeIdentity, DescribeSelf, Rules};

use crate::output::{self, Output};

use super::super::client::ClientArgs;
use super::super::text::{date_time, field, optional_field};

#[derive(Args, Debug)]
pub(crate) struct InfoArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// The identity [default: yours]
    identity: Option<String>,
}

// === impl InfoArgs ===

impl InfoArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        self.client.run(async |client| {
            let failed = |error| anyhow!("failed to describe identity: {error}");
            output::print(&match self.identity {
                Some(identity) => {
                    let described = client.describe_identity(&identity).await.map_err(failed)?;
                    match output.json {
                        true => output.encode(&described)?,
                        false => description(&identity, &described),
                    }
                }
                None => {
                    let described = client.describe_self().await.map_err(failed)?;
                    match output.json {
                        true => output.encode(&described)?,
                        false => self_description(&described),
                    }
                }
            })?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn description(identity: &str, described: &DescribeIdentity) -> String {
    let created_at = described
        .created_at
        .map(|time| date_time(time, &TimeZone::UTC));
    [
        field("Identity", identity),
        optional_field("Policy", described.policy.as_ref()),
        optional_field("Created At", created_at),
        field("Role", role(described.admin)),
        optional_field("Created By", described.created_by.as_ref()),
    ]
    .concat()
}

fn self_description(described: &DescribeSelf) -> String {
    let created_at = described
        .created_at
        .map(|time| date_time(time, &TimeZone::UTC));
    let policy = described.policy.as_ref().map(|policy| {
        let allow = section("Allow", described.allow.as_ref());
        let deny = section("Deny", described.deny.as_ref());
        format!("\n{}{allow}{deny}", field("Policy", policy))
    });
    [
        field("Identity", &described.identity),
        optional_field("Created At", created_at),
        field("Role", role(described.admin)),
        optional_field("Created By", described.created_by.as_ref()),
        policy.unwrap_or_default(),
    ]
    .concat()
}

fn role(admin: bool) -> &'static str {
    if admin { "Admin" } else { "User" }
}

fn section(heading: &str, rules: Option<&Rules>) -> String {
    match rules {
        Some(rules) if !rules.is_empty() => {
            let lines = rules
                .iter()
                .map(|pattern| field("", format_args!("· {pattern}")));
            format!("{heading}\n{}", lines.collect::<String>())
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn self_descriptions_list_the_rules() {
        let described = DescribeSelf {
            identity: "1d1f".to_owned(),
            admin: false,
            created_at: "2025-05-26T10:00:00Z".parse().ok(),
            created_by: Some("eb55".to_owned()),
            policy: Some("my-app".to_owned()),
            allow: Some(["/v1/key/list/*", "/v1/key/create/*"].into_iter().collect()),
            deny: None,
        };
        assert_eq!(
            self_description(&described),
            "Identity    1d1f\n\
             Created At  2025-05-26 10:00:00\n\
             Role        User\n\
             Created By  eb55\n\
             \n\
             Policy      my-app\n\
             Allow\n\
             \x20           · /v1/key/create/*\n\
             \x20           · /v1/key/list/*\n"
        );
    }

    #[test]
    fn other_identities_are_described_in_short() {
        let described = DescribeIdentity {
            admin: true,
            policy: None,
            created_at: None,
            created_by: None,
        };
        assert_eq!(
            description("eb55", &described),
            "Identity    eb55\nRole        Admin\n"
        );
    }
}
