//! `kes metric`: the server's figures, again and again.

mod sample;
mod screen;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use keystead_client_kes::Client;
use keystead_config::GoDuration;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::output::{self, Output};

use self::sample::Sample;
use self::screen::Screen;
use super::client::ClientArgs;

#[derive(Args, Debug)]
pub(crate) struct MetricArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Time between two samples
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    rate: GoDuration,
}

// === impl MetricArgs ===

impl MetricArgs {
    pub(crate) fn run(self, output: Output) -> Result<ExitCode> {
        let rate = self.rate.to_duration().filter(|rate| !rate.is_zero());
        let rate = rate.with_context(|| format!("invalid rate '{}'", self.rate))?;
        self.client.run(async |client| match output.scripted() {
            true => print_lines(&client, rate).await,
            false => draw(&client, rate).await,
        })
    }
}

async fn print_lines(client: &Client, rate: Duration) -> Result<ExitCode> {
    let mut ticks = interval(rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let metrics = client.metrics().await;
        let metrics = metrics.map_err(|error| anyhow!("failed to fetch metrics: {error}"))?;
        output::print(&output::json_line(&Sample::parse(&metrics))?)?;
    }
}

async fn draw(client: &Client, rate: Duration) -> Result<ExitCode> {
    let mut screen = Screen::open()?;
    let mut ticks = interval(rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last: Option<(Instant, Sample)> = None;
    loop {
        ticks.tick().await;
        // The server may be restarting: keep the last figures and ask again.
        let Ok(metrics) = client.metrics().await else {
            continue;
        };
        let (now, sample) = (Instant::now(), Sample::parse(&metrics));
        let before = last.as_ref().map(|(then, sample)| (now - *then, sample));
        screen.draw(&screen::tables(&sample, before))?;
        last = Some((now, sample));
    }
}
