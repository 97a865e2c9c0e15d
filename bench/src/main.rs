//! Measures the key server against the floor: the least that hyper and rustls can
//! do with the same handshake and the same number of bytes.
//!
//! Client and server share the machine, so requests per second say as much about
//! this program as about the server. The main figure is the CPU time the server
//! needs for one request, and everything is given as a ratio to the floor of the
//! same run. Servers are measured in turns, round by round, and the median of the
//! rounds counts, so that a disturbance of the machine hits all alike. All traffic
//! stays on the loopback interface.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the tables are the output, the progress goes to standard error"
)]

mod calls;
mod client;
mod floor;
mod load;
mod many_keys;
mod measure;
mod minkms;
mod report;
mod server;
mod stores;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

/// Measures the servers and prints the tables of docs/performance.md.
#[derive(Parser)]
#[command(name = "./dev bench")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    plan: Plan,
}

#[derive(Subcommand)]
enum Command {
    #[command(hide = true)]
    Floor(floor::Options),
    /// Measures what a remote key store costs instead: OpenBao, started from where
    /// KEYSTEAD_BAO says.
    Stores,
    /// Measures the minkms server instead: against the floor, against etcd, and with a
    /// million keys.
    Minkms(minkms::Options),
}

/// What to measure, and for how long.
#[derive(Args)]
struct Plan {
    /// The kes binary [default: the one beside this program].
    #[arg(long, global = true)]
    kes: Option<PathBuf>,
    /// The binary of another KES server, measured in the same run if given.
    #[arg(long, global = true)]
    reference: Option<PathBuf>,
    /// Seconds of load per measurement.
    #[arg(long, global = true, default_value_t = 5)]
    seconds: u64,
    /// Rounds; the median of them counts.
    #[arg(long, global = true, default_value_t = 3)]
    rounds: usize,
    /// Requests in flight: so many HTTP/1.1 connections, or an eighth as many with
    /// eight HTTP/2 streams each.
    #[arg(long, global = true, default_value_t = 32)]
    in_flight: usize,
    /// Requests per second of the latency measurement.
    #[arg(long, global = true, default_value_t = 2000)]
    rate: u32,
    /// Numbers of keys in the store whose effect is measured.
    #[arg(
        long,
        global = true,
        value_delimiter = ',',
        default_value = "10,1000,100000,1000000"
    )]
    keys: Vec<usize>,
    /// Keys that are read from OpenBao, one after the other, in each round.
    #[arg(long, global = true, default_value_t = 3000)]
    misses: u64,
    /// Replaces the tables between the marks of this Markdown file.
    #[arg(long, global = true)]
    write: Option<PathBuf>,
}

impl Plan {
    fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    fn kes(&self) -> Result<PathBuf> {
        Ok(match &self.kes {
            Some(path) => path.canonicalize()?,
            None => std::env::current_exe()?.with_file_name("kes"),
        })
    }
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        match cli.command {
            Some(Command::Floor(options)) => floor::serve(&options).await,
            Some(Command::Stores) => stores::all(&cli.plan).await,
            Some(Command::Minkms(options)) => minkms::all(&cli.plan, &options).await,
            None => measure::all(&cli.plan).await,
        }
    })
}
