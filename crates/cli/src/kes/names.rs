//! Lists of names: `kes ls`, `kes key ls`, `kes policy ls` and `kes identity ls`.

use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use clap::Args;
use keystead_client_kes::Client;

use crate::output::{self, Output};
use crate::style::HEADING;

use super::client::{ClientArgs, Target};

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Key,
    Policy,
    Identity,
}

/// Arguments of the `ls` command of a group.
#[derive(Args, Debug)]
pub(crate) struct NamesArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// List only names that start like this
    #[arg(default_value = "*", hide_default_value = true)]
    pattern: String,
}

/// Arguments of `kes ls`.
#[derive(Args, Debug)]
pub(crate) struct LsArgs {
    #[command(flatten)]
    client: ClientArgs,

    #[command(flatten)]
    target: Target,

    /// List identities
    #[arg(short, long)]
    identity: bool,

    /// List policies
    #[arg(short, long)]
    policy: bool,

    /// List only names that start like this
    #[arg(default_value = "", hide_default_value = true)]
    prefix: String,
}

// === impl NamesArgs ===

impl NamesArgs {
    pub(crate) fn run(self, kind: Kind, output: Output) -> Result<ExitCode> {
        self.client
            .run(async |client| print(&client, kind, &self.pattern, output).await)
    }
}

// === impl LsArgs ===

impl LsArgs {
    pub(crate) fn run(self, output: Output) -> Result<ExitCode> {
        let kind = match (self.identity, self.policy) {
            (true, true) => {
                bail!("'-p / --policy' and '-i / --identity' must not be used at the same time")
            }
            (true, false) => Kind::Identity,
            (false, true) => Kind::Policy,
            (false, false) => Kind::Key,
        };
        self.client.run_at(self.target, async |client| {
            print(&client, kind, &self.prefix, output).await
        })
    }
}

async fn print(client: &Client, kind: Kind, pattern: &str, output: Output) -> Result<ExitCode> {
    let names = matching(pattern, async |prefix| {
        Ok(match kind {
            Kind::Key => client.list_keys(prefix).await?,
            Kind::Policy => client.list_policies(prefix).await?,
            Kind::Identity => client.list_identities(prefix).await?,
        })
    });
    show(kind, names.await, output)
}

/// The names that match `pattern`, of those that `list` gives for a prefix.
pub(crate) async fn matching(
    pattern: &str,
    list: impl AsyncFnOnce(&str) -> Result<Vec<String>>,
) -> Result<Vec<String>> {
    // Servers up to 2025 take a star that follows anything literally.
    let prefix = pattern.strip_suffix('*').unwrap_or(pattern);
    let mut names = list(listable(prefix)).await?;
    names.retain(|name| name.starts_with(prefix));
    Ok(names)
}

/// Prints a list of names.
pub(crate) fn show(kind: Kind, names: Result<Vec<String>>, output: Output) -> Result<ExitCode> {
    let names = names.map_err(|error| anyhow!("failed to list {}: {error}", kind.plural()))?;
    output::print(&if output.json {
        output::json_line(&names)?
    } else {
        table(kind, &names)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The longest beginning of `prefix` that servers list: they refuse a hyphen at the end
/// and a lone underscore, as they do in names.
fn listable(prefix: &str) -> &str {
    match prefix.trim_end_matches('-') {
        "_" => "",
        prefix => prefix,
    }
}

fn table(kind: Kind, names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let lines: String = names.iter().map(|name| format!("{name}\n")).collect();
    format!("{HEADING}{}{HEADING:#}\n{lines}", kind.heading())
}

// === impl Kind ===

impl Kind {
    fn heading(self) -> &'static str {
        match self {
            Self::Key => "Key",
            Self::Policy => "Policy",
            Self::Identity => "Identity",
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Self::Key => "keys",
            Self::Policy => "policies",
            Self::Identity => "identities",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_a_heading_unless_they_are_empty() {
        let plain = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            anstream::adapter::strip_str(&table(Kind::Policy, &names)).to_string()
        };
        assert_eq!(plain(&["a", "b-1"]), "Policy\na\nb-1\n");
        assert_eq!(plain(&[]), "");
    }

    #[test]
    fn prefixes_are_cut_to_what_servers_list() {
        for (prefix, asked_for) in [
            ("my-", "my"),
            ("my", "my"),
            ("_", ""),
            ("_a", "_a"),
            ("", ""),
        ] {
            assert_eq!(listable(prefix), asked_for);
        }
    }
}
