//! `minkms pprof`: what servers observe about themselves.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use keystead_client_kms::{Client, HostAnswer, Profiles, Threads};
use keystead_wire_kms::message::ProfileStatusResponse;

use crate::output::{self, Output};

use super::client::ClientArgs;
use super::text::{field, moment};

#[derive(Args)]
pub(super) struct ProfileArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Profile the processor
    #[arg(long, value_name = "BOOL", default_value = "true", num_args = 0..=1,
          require_equals = true, default_missing_value = "true")]
    cpu: bool,

    /// Profile memory
    #[arg(long, value_name = "BOOL", default_value = "true", num_args = 0..=1,
          require_equals = true, default_missing_value = "true")]
    heap: bool,

    /// Profile threads
    #[arg(long, value_enum, default_value_t = Kind::Runtime)]
    thread: Kind,

    /// Take a sample per so many nanoseconds blocked
    #[arg(
        long,
        value_name = "RATE",
        default_value_t = 0,
        hide_default_value = true
    )]
    block: u64,

    /// Take one sample of so many contended locks
    #[arg(
        long,
        value_name = "FREQ",
        default_value_t = 0,
        hide_default_value = true
    )]
    mutex: u64,

    /// Stop profiling and write the profiles to this folder; '_' throws them away
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Show what is being profiled
    #[arg(long)]
    stat: bool,

    /// The servers
    #[arg(value_name = "HOST[:PORT]", required = true)]
    hosts: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Runtime,
    Os,
    All,
}

// === impl ProfileArgs ===

impl ProfileArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        self.client.run(async |client| {
            if let Some(folder) = &self.output {
                for host in &self.hosts {
                    stop(&client, host, folder).await?;
                }
                return Ok(ExitCode::SUCCESS);
            }
            if self.stat {
                for answer in client.profiling_status(&self.hosts).await? {
                    let HostAnswer { host, result } = answer;
                    output::print(&match output.json {
                        true => output::json_line(&result?)?,
                        false => description(&host, &result?),
                    })?;
                }
                return Ok(ExitCode::SUCCESS);
            }
            let answers = client.start_profiling(&self.hosts, self.profiles()).await?;
            for answer in answers {
                answer.result?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }

    fn profiles(&self) -> Profiles {
        Profiles {
            cpu: self.cpu,
            heap: self.heap,
            threads: Some(match self.thread {
                Kind::Runtime => Threads::Runtime,
                Kind::Os => Threads::Os,
                Kind::All => Threads::All,
            }),
            block_rate: self.block,
            mutex_fraction: self.mutex,
        }
    }
}

/// Ends profiling on a server and keeps the profiles.
async fn stop(client: &Client, host: &str, folder: &Path) -> Result<()> {
    let mut archive = client.stop_profiling(host).await?;
    if folder == Path::new("_") {
        return Ok(());
    }
    let name = format!("{}.tar", archive.host().replace([':', '[', ']'], "_"));
    let path = folder.join(name);
    let failed = || format!("failed to write '{}'", path.display());
    let mut file = File::create_new(&path).with_context(failed)?;
    while let Some(piece) = archive.next().await? {
        file.write_all(&piece).with_context(failed)?;
    }
    output::print(&format!("{}\n", path.display()))?;
    Ok(())
}

fn description(host: &str, status: &ProfileStatusResponse) -> String {
    let is = |on: bool| if on { "on" } else { "off" };
    [
        field("Server", host),
        field("Started", moment(status.started.as_ref(), Timestamp::now())),
        field("CPU", is(status.cpu)),
        field("Heap", is(status.heap)),
        field("Threads", is(status.goroutine || status.thread)),
        field("Block", status.block_rate),
        field("Mutex", status.mutex_fraction),
    ]
    .concat()
}
