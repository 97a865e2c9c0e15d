//! `minkms stat`: the cluster, node by node.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use keystead_config::GoDuration;
use keystead_wire_kms::message::{ClusterStatusResponse, ServerStatusResponse};

use crate::output::{self, Output};
use crate::style::{BAD, GOOD};

use super::client::ClientArgs;
use super::cluster::uptime;
use super::text::{count, field, period};

#[derive(Args)]
pub(super) struct StatArgs {
    #[command(flatten)]
    client: ClientArgs,
}

// === impl StatArgs ===

impl StatArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        self.client.run(async |client| {
            let cluster = client.cluster_status().await?;
            output::print(&match output.json {
                true => output::json_line(&cluster)?,
                false => layout(&cluster),
            })?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn layout(cluster: &ClusterStatusResponse) -> String {
    let up = cluster.nodes_up.iter();
    let up = up.map(|(id, node)| block(*id, node));
    let down = cluster.nodes_down.iter();
    let down = down.map(|(id, host)| format!("{BAD}●{BAD:#} {id}: {host}\n  down\n"));
    up.chain(down).collect::<Vec<_>>().join("\n")
}

fn block(id: u32, node: &ServerStatusResponse) -> String {
    let line = |label, value: String| format!("  {}", field(label, value));
    let leader = match node.leader_id {
        id if id < 0 => "none".to_owned(),
        id => id.to_string(),
    };
    let sealed = node.hsms.len();
    let sealed = count(u64::try_from(sealed).unwrap_or_default(), "HSM");
    [
        format!("{GOOD}●{GOOD:#} {id}: {}\n", node.host),
        line("Version", node.version.clone()),
        line("Uptime", period(uptime(node))),
        line("HSMs", format!("{sealed}{}", names(&node.hsms))),
        line("Commit", node.commit.to_string()),
        line("State", node.role.clone()),
        line("Leader", leader),
        line("Heartbeat", format!("{} ago", heartbeat(node))),
        line("OS", node.os.clone()),
        line(
            "CPUs",
            format!("{} of {} {}", node.usable_cpus, node.cpus, node.arch),
        ),
        line("Memory", memory(node)),
        line("Digest", node.state_digest.chars().take(16).collect()),
    ]
    .concat()
}

fn names(hsms: &[String]) -> String {
    match hsms {
        [] => String::new(),
        hsms => format!(": {}", hsms.join(", ")),
    }
}

fn heartbeat(node: &ServerStatusResponse) -> GoDuration {
    let last = node.last_heartbeat.as_ref();
    let millis = last.map_or(0, |last| {
        let millis = last.seconds.saturating_mul(1_000);
        millis.saturating_add(i64::from(last.nanos / 1_000_000))
    });
    GoDuration::from(Duration::from_millis(
        u64::try_from(millis).unwrap_or_default(),
    ))
}

fn memory(node: &ServerStatusResponse) -> String {
    let heap = crate::kes::decimal_size(node.heap_mem_in_use);
    let stack = crate::kes::decimal_size(node.stack_mem_in_use);
    format!("{heap} heap, {stack} stack")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_has_a_block() {
        let node = ServerStatusResponse {
            version: "2026-11-21T16-00-00Z".to_owned(),
            host: "kms-a:7373".to_owned(),
            uptime: Some(prost_types::Duration {
                seconds: 90,
                nanos: 0,
            }),
            role: "Leader".to_owned(),
            commit: 42,
            last_heartbeat: Some(prost_types::Duration {
                seconds: 0,
                nanos: 120_000_000,
            }),
            os: "linux".to_owned(),
            arch: "amd64".to_owned(),
            cpus: 8,
            usable_cpus: 2,
            heap_mem_in_use: 4_100_000,
            stack_mem_in_use: 100_000,
            hsms: vec!["hsm:minio:soft".to_owned()],
            state_digest: "0123456789abcdef0123".to_owned(),
            ..ServerStatusResponse::default()
        };
        let cluster = ClusterStatusResponse {
            nodes_up: [(0, node)].into(),
            nodes_down: [(1, "kms-b:7373".to_owned())].into(),
        };
        assert_eq!(
            anstream::adapter::strip_str(&layout(&cluster)).to_string(),
            "● 0: kms-a:7373\n\
             \x20 Version      2026-11-21T16-00-00Z\n\
             \x20 Uptime       1 minute\n\
             \x20 HSMs         1 HSM: hsm:minio:soft\n\
             \x20 Commit       42\n\
             \x20 State        Leader\n\
             \x20 Leader       0\n\
             \x20 Heartbeat    120ms ago\n\
             \x20 OS           linux\n\
             \x20 CPUs         2 of 8 amd64\n\
             \x20 Memory       4.1MB heap, 100.0KB stack\n\
             \x20 Digest       0123456789abcdef\n\
             \n\
             ● 1: kms-b:7373\n\
             \x20 down\n"
        );
    }
}
