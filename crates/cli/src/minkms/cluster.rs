//! `minkms add`, `rm`, `ls`, `edit` and `restart`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use keystead_wire_kms::message::{ClusterStatusResponse, ServerStatusResponse};
use serde::Serialize;

use crate::output::{self, Output};

use super::client::ClientArgs;
use super::table::Table;
use super::text::period;

#[derive(Args)]
pub(super) struct AddArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// The server that is to join
    #[arg(value_name = "HOST[:PORT]")]
    host: String,
}

#[derive(Args)]
pub(super) struct RmArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Make the server forget the cluster, so that it starts as a cluster of its own
    #[arg(long)]
    delete_cluster: bool,

    /// The server that is to leave
    #[arg(value_name = "HOST[:PORT]")]
    host: String,
}

#[derive(Args)]
pub(super) struct LsArgs {
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Args)]
pub(super) struct EditArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Id of a failed server to forget; one at a time
    #[arg(long, value_name = "ID", required = true)]
    rm: Vec<u32>,

    /// The server whose list of members is changed
    #[arg(value_name = "HOST[:PORT]")]
    host: String,
}

#[derive(Args)]
pub(super) struct RestartArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Servers to restart [default: the whole cluster]
    #[arg(value_name = "HOST[:PORT]")]
    hosts: Vec<String>,
}

/// A node that does not answer the others.
#[derive(Serialize)]
struct Down<'a> {
    node_id: u32,
    host: &'a str,
}

// === impl AddArgs ===

impl AddArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        self.client.run(async |client| {
            client.add_node(&self.host).await?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl RmArgs ===

impl RmArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        self.client.run(async |client| {
            let removed = client.remove_node(&self.host, self.delete_cluster);
            removed.await?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl LsArgs ===

impl LsArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        self.client.run(async |client| {
            let cluster = client.cluster_status().await?;
            output::print(&match output.json {
                true => lines(&cluster)?,
                false => table(&cluster),
            })?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn lines(cluster: &ClusterStatusResponse) -> Result<String> {
    let mut lines = String::new();
    for node in cluster.nodes_up.values() {
        lines += &output::json_line(node)?;
    }
    for (&node_id, host) in &cluster.nodes_down {
        lines += &output::json_line(&Down { node_id, host })?;
    }
    Ok(lines)
}

fn table(cluster: &ClusterStatusResponse) -> String {
    let mut table = Table::new(["ID", "Status", "Role", "Uptime", "Host"]);
    for (id, node) in &cluster.nodes_up {
        table.push([
            id.to_string(),
            "up".to_owned(),
            node.role.clone(),
            period(uptime(node)),
            node.host.clone(),
        ]);
    }
    for (id, host) in &cluster.nodes_down {
        let unknown = || "-".to_owned();
        let down = "down".to_owned();
        table.push([id.to_string(), down, unknown(), unknown(), host.clone()]);
    }
    table.layout()
}

/// How long a node has been up, in seconds.
pub(super) fn uptime(node: &ServerStatusResponse) -> u64 {
    let seconds = node.uptime.as_ref().map_or(0, |uptime| uptime.seconds);
    u64::try_from(seconds).unwrap_or_default()
}

// === impl EditArgs ===

impl EditArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        // Two failed nodes forgotten at once may be the majority that has the truth.
        if self.rm.len() > 1 {
            bail!("'--rm' takes one server at a time: check 'minkms ls' in between");
        }
        self.client.run(async |client| {
            client.edit_cluster(&self.host, self.rm).await?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl RestartArgs ===

impl RestartArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        self.client.run(async |client| {
            if self.hosts.is_empty() {
                client.restart().await?;
                return Ok(ExitCode::SUCCESS);
            }
            let mut first = None;
            for answer in client.restart_hosts(&self.hosts).await? {
                if let Err(error) = answer.result {
                    output::note(&format!("{}: {error}\n", answer.host));
                    first.get_or_insert(error);
                }
            }
            first.map_or(Ok(ExitCode::SUCCESS), |error| Err(error.into()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster() -> ClusterStatusResponse {
        let node = ServerStatusResponse {
            host: "kms-a:7373".to_owned(),
            role: "Leader".to_owned(),
            uptime: Some(prost_types::Duration {
                seconds: 7200,
                nanos: 5,
            }),
            ..ServerStatusResponse::default()
        };
        ClusterStatusResponse {
            nodes_up: [(0, node)].into(),
            nodes_down: [(3, "kms-d:7373".to_owned())].into(),
        }
    }

    #[test]
    fn tables_have_a_line_per_node() {
        assert_eq!(
            anstream::adapter::strip_str(&table(&cluster())).to_string(),
            "ID   Status   Role     Uptime    Host\n\
             0    up       Leader   2 hours   kms-a:7373\n\
             3    down     -        -         kms-d:7373\n"
        );
    }

    #[test]
    fn json_has_an_object_per_node() {
        let lines = lines(&cluster()).unwrap();
        let mut lines = lines.lines();
        let up = lines.next().unwrap();
        assert!(
            up.contains(r#""host":"kms-a:7373","uptime":"2h0m0.000000005s""#),
            "{up}"
        );
        assert_eq!(lines.next(), Some(r#"{"node_id":3,"host":"kms-d:7373"}"#));
    }
}
