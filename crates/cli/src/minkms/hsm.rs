//! `minkms add-hsm`, `rm-hsm`, `ls-hsm` and `rotate-root`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use keystead_wire_kms::message::ClusterStatusResponse;
use serde::Serialize;

use crate::output::{self, Output};

use super::client::ClientArgs;
use super::table::Table;
use super::text::field;

#[derive(Args)]
pub(super) struct AddHsmArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Seal anew what the HSM has sealed before
    #[arg(long)]
    overwrite: bool,

    /// Name of the HSM, as 'ls-hsm' shows it
    name: String,
}

#[derive(Args)]
pub(super) struct RmHsmArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Also if no other HSM could open the state again: it is lost at the next start
    #[arg(short, long)]
    force: bool,

    /// Name of the HSM, as 'ls-hsm' shows it
    name: String,
}

#[derive(Args)]
pub(super) struct LsHsmArgs {
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Args)]
pub(super) struct RotateRootArgs {
    #[command(flatten)]
    client: ClientArgs,
}

/// An HSM with the nodes that know it.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Entry {
    name: String,
    /// Nodes with a root key that it has sealed.
    sealed: Vec<u32>,
    /// Nodes that have it in their configuration.
    configured: Vec<u32>,
}

/// The root key in use from now on.
#[derive(Serialize)]
struct Rotated<'a> {
    rek_id: &'a str,
}

// === impl AddHsmArgs ===

impl AddHsmArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        self.client.run(async |client| {
            client.add_hsm(&self.name, self.overwrite).await?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl RmHsmArgs ===

impl RmHsmArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        self.client.run(async |client| {
            client.remove_hsm(&self.name, self.force).await?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl LsHsmArgs ===

impl LsHsmArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        self.client.run(async |client| {
            let entries = entries(&client.cluster_status().await?);
            let mut text = String::new();
            let mut table = Table::new(["HSM", "Sealed on", "Configured on"]);
            for entry in entries {
                if output.json {
                    text += &output::json_line(&entry)?;
                }
                table.push([entry.name, nodes(&entry.sealed), nodes(&entry.configured)]);
            }
            if !output.json {
                text = table.layout();
            }
            output::print(&text)?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn entries(cluster: &ClusterStatusResponse) -> Vec<Entry> {
    let mut entries: BTreeMap<&str, Entry> = BTreeMap::new();
    for (id, node) in &cluster.nodes_up {
        for name in &node.hsms {
            entries.entry(name).or_default().sealed.push(*id);
        }
        for name in &node.configured_hsms {
            entries.entry(name).or_default().configured.push(*id);
        }
    }
    let named = entries.into_iter().map(|(name, entry)| Entry {
        name: name.to_owned(),
        ..entry
    });
    named.collect()
}

fn nodes(ids: &[u32]) -> String {
    let ids: Vec<_> = ids.iter().map(u32::to_string).collect();
    match ids.as_slice() {
        [] => "-".to_owned(),
        [id] => format!("node {id}"),
        ids => format!("nodes {}", ids.join(", ")),
    }
}

// === impl RotateRootArgs ===

impl RotateRootArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        self.client.run(async |client| {
            let rek_id = client.rotate_root().await?;
            output::print(&match output.json {
                true => output::json_line(&Rotated { rek_id: &rek_id })?,
                false => field("Root key", rek_id),
            })?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

#[cfg(test)]
mod tests {
    use keystead_wire_kms::message::ServerStatusResponse;

    use super::*;

    #[test]
    fn hsms_are_those_sealed_and_those_configured() {
        let node = |hsms: &[&str], configured: &[&str]| {
            let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
            ServerStatusResponse {
                hsms: owned(hsms),
                configured_hsms: owned(configured),
                ..ServerStatusResponse::default()
            }
        };
        let cluster = ClusterStatusResponse {
            nodes_up: [
                (
                    0,
                    node(&["hsm:minio:soft"], &["hsm:minio:soft", "hsm:pkcs11"]),
                ),
                (1, node(&["hsm:minio:soft"], &[])),
            ]
            .into(),
            nodes_down: BTreeMap::new(),
        };
        let entries = entries(&cluster);
        assert_eq!(entries[0].name, "hsm:minio:soft");
        assert_eq!(
            (&*entries[0].sealed, &*entries[0].configured),
            (&[0, 1][..], &[0][..])
        );
        assert_eq!(
            (&*entries[1].sealed, &*entries[1].configured),
            (&[][..], &[0][..])
        );
        assert_eq!(nodes(&[]), "-");
        assert_eq!(nodes(&[0]), "node 0");
        assert_eq!(nodes(&[0, 1]), "nodes 0, 1");
    }
}
