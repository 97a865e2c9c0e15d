//! `kes policy`: what policies there are, and what they decide.

mod check;

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use keystead_wire_kes::{DescribePolicy, ReadPolicy, Rules};

use crate::output::{self, Output};
use crate::style::{BOLD_BAD, BOLD_GOOD, BOLD_NOTE};
use crate::usage::see;

use super::client::ClientArgs;
use super::names::{Kind, NamesArgs};
use super::text::{date_time, field, optional_field};

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Describe a policy
    Info(PolicyArgs),
    /// List policies
    #[command(visible_alias = "list")]
    Ls(NamesArgs),
    /// Show the rules of a policy
    Show(PolicyArgs),
    /// Explain what a configuration file allows
    Check(check::CheckArgs),
}

#[derive(Args, Debug)]
pub(crate) struct PolicyArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Name of the policy
    name: Option<String>,
}

// === impl PolicyCommand ===

impl PolicyCommand {
    pub(crate) fn run(self, output: Output) -> Result<ExitCode> {
        match self {
            Self::Info(args) => args.info(output),
            Self::Ls(args) => args.run(Kind::Policy, output),
            Self::Show(args) => args.show(output),
            Self::Check(args) => args.run(output),
        }
    }
}

// === impl PolicyArgs ===

impl PolicyArgs {
    fn info(self, output: Output) -> Result<ExitCode> {
        let name = required(self.name, "kes policy info")?;
        self.client.run(async |client| {
            let described = client.describe_policy(&name).await;
            let policy = described
                .map_err(|error| anyhow!("failed to describe policy '{name}': {error}"))?;
            output::print(&match output.json {
                true => output.encode(&policy)?,
                false => description(&policy, &TimeZone::system()),
            })?;
            Ok(ExitCode::SUCCESS)
        })
    }

    fn show(self, output: Output) -> Result<ExitCode> {
        let name = required(self.name, "kes policy show")?;
        self.client.run(async |client| {
            let read = client.read_policy(&name).await;
            let policy =
                read.map_err(|error| anyhow!("failed to show policy '{name}': {error}"))?;
            output::print(&match output.scripted() {
                true => output.encode(&policy)?,
                false => rules(&policy, &TimeZone::system()),
            })?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn required(name: Option<String>, command: &str) -> Result<String> {
    name.with_context(|| see("no policy name specified", command))
}

fn description(policy: &DescribePolicy, zone: &TimeZone) -> String {
    let creator = Some(&policy.created_by).filter(|creator| !creator.is_empty());
    [
        field("Name", &policy.name),
        optional_field("Date", policy.created_at.map(|time| date_time(time, zone))),
        optional_field("Created by", creator),
    ]
    .concat()
}

fn rules(policy: &ReadPolicy, zone: &TimeZone) -> String {
    let section = |heading: String, rules: &Rules| {
        let lines: String = rules
            .iter()
            .map(|pattern| format!("  · {pattern}\n"))
            .collect();
        (!rules.is_empty()).then_some(heading + &lines)
    };
    let sections = [
        section(format!("{BOLD_GOOD}Allow:{BOLD_GOOD:#}\n"), &policy.allow),
        section(format!("{BOLD_BAD}Deny:{BOLD_BAD:#}\n"), &policy.deny),
    ];
    let sections: Vec<_> = sections.into_iter().flatten().collect();
    let created_at = policy.created_at.map(|time| {
        let time = date_time(time, zone);
        format!("\n{BOLD_NOTE}Created at:{BOLD_NOTE:#} {time}\n")
    });
    let creator = match policy.created_by.as_str() {
        "" => "<unknown>",
        creator => creator,
    };
    format!(
        "{}\n{}{BOLD_NOTE}Created by:{BOLD_NOTE:#} {creator}\n",
        sections.join("\n"),
        created_at.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(policy: &ReadPolicy) -> String {
        anstream::adapter::strip_str(&rules(policy, &TimeZone::UTC)).to_string()
    }

    #[test]
    fn rules_are_shown_in_sections() {
        let mut policy = ReadPolicy {
            name: String::new(),
            allow: ["/v1/key/create/my-key*", "/v1/key/generate/my-key*"]
                .into_iter()
                .collect(),
            deny: ["/v1/key/create/my-key-0"].into_iter().collect(),
            created_at: "2025-05-26T10:00:00Z".parse().ok(),
            created_by: "1d1f".to_owned(),
        };
        assert_eq!(
            plain(&policy),
            "Allow:\n  · /v1/key/create/my-key*\n  · /v1/key/generate/my-key*\n\n\
             Deny:\n  · /v1/key/create/my-key-0\n\n\
             \nCreated at: 2025-05-26 10:00:00\nCreated by: 1d1f\n"
        );
        policy.deny = Rules::default();
        policy.created_at = None;
        policy.created_by.clear();
        assert_eq!(
            plain(&policy),
            "Allow:\n  · /v1/key/create/my-key*\n  · /v1/key/generate/my-key*\n\n\
             Created by: <unknown>\n"
        );
    }
}
