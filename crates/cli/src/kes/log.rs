//! `kes log`: what happens on the server, while it happens.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use keystead_config::GoDuration;
use keystead_wire_kes::AuditRecord;

use crate::output::{self, Output};
use crate::style::{BAD, GOOD, TABLE_HEADING};
use crate::usage;

use super::client::ClientArgs;
use super::{HELP, Kes};

#[derive(Args, Debug)]
pub(crate) struct LogArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Print audit events, the default
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    audit: Option<bool>,

    /// Print error events
    #[arg(long)]
    error: bool,

    // Old releases had `kes log trace`.
    #[arg(value_parser = ["trace"], hide = true)]
    trace: Option<String>,
}

// === impl LogArgs ===

impl LogArgs {
    pub(crate) fn run(self, output: Output) -> Result<ExitCode> {
        match (self.audit, self.error) {
            (Some(true), true) => bail!("cannot display audit and error logs at the same time"),
            (_, true) => self.client.run(async |client| {
                let mut events = client.error_log().await?;
                while let Some(event) = events.next().await? {
                    output::print(&match output.json {
                        true => output::json_line(&event)?,
                        false => event.message + "\n",
                    })?;
                }
                Ok(ExitCode::SUCCESS)
            }),
            (Some(false), false) => {
                output::note(&usage::help::<Kes>(&["log"]));
                Ok(ExitCode::from(HELP))
            }
            (Some(true) | None, false) => self.client.run(async |client| {
                let mut events = client.audit_log().await?;
                if !output.json {
                    output::print(&header())?;
                }
                while let Some(event) = events.next().await? {
                    output::print(&match output.json {
                        true => output::json_line(&event)?,
                        false => line(&event),
                    })?;
                }
                Ok(ExitCode::SUCCESS)
            }),
        }
    }
}

fn header() -> String {
    let heading = format!(
        "{:<8}    {:<6}    {:<20}    {:<15}    {:<30}    {}",
        "Time", "Status", "Identity", "IP", "API", "Latency"
    );
    format!("{TABLE_HEADING}{heading}{TABLE_HEADING:#}\n")
}

fn line(event: &AuditRecord) -> String {
    let style = if event.response.code == 200 {
        GOOD
    } else {
        BAD
    };
    let identity: String = event
        .request
        .identity
        .iter()
        .flat_map(|identity| identity.chars())
        .take(20)
        .collect();
    let ip = event
        .request
        .ip
        .map_or_else(|| "<unknown>".to_owned(), |ip| ip.to_string());
    format!(
        "{}    {style}{:<5}{style:#}     {identity:<20}    {ip:<15}    {:<30}    {}\n",
        event.time.strftime("%H:%M:%S"),
        event.response.code,
        event.request.path,
        GoDuration::from(rounded(event.response.time)),
    )
}

/// The time in `nanoseconds`, with three digits at most.
fn rounded(nanoseconds: u64) -> Duration {
    let unit = match nanoseconds {
        1_000_000_000.. => 100_000_000,
        10_000_000.. => 1_000_000,
        1_000_000.. => 100_000,
        10_000.. => 1_000,
        _ => 1,
    };
    Duration::from_nanos(nanoseconds.saturating_add(unit / 2) / unit * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn header_has_the_published_columns() {
        assert_eq!(
            plain(&header()),
            "Time        Status    Identity                IP                 \
             API                               Latency\n"
        );
    }

    #[test]
    fn events_line_up_with_the_header() {
        let event: AuditRecord = serde_json::from_str(
            r#"{"time":"2026-11-21T16:05:09Z",
                "request":{"ip":"10.0.0.7","path":"/v1/key/create/my-key",
                           "identity":"1d1f89ad528a3bbb8fd64252d443c993"},
                "response":{"code":200,"time":12345678}}"#,
        )
        .unwrap();
        assert_eq!(
            plain(&line(&event)),
            "16:05:09    200       1d1f89ad528a3bbb8fd6    10.0.0.7           \
             /v1/key/create/my-key             12ms\n"
        );
    }

    #[test]
    fn latencies_keep_three_digits() {
        let shown = |nanoseconds| GoDuration::from(rounded(nanoseconds)).to_string();
        assert_eq!(shown(1_449_999_999), "1.4s");
        assert_eq!(shown(12_345_678), "12ms");
        assert_eq!(shown(1_260_000), "1.3ms");
        assert_eq!(shown(12_499), "12µs");
        assert_eq!(shown(1_234), "1.234µs");
    }
}
