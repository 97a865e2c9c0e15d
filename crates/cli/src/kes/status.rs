//! `kes status`: whether a server is up, and how it does.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use keystead_client_kes::Client;
use keystead_config::GoDuration;
use keystead_wire_kes::{ApiInfo, Status};
use tokio::time::Instant;

use crate::output::{self, Output};
use crate::style::{BAD, FAINT, GOOD, TABLE_HEADING};

use super::client::ClientArgs;
use super::text::decimal_size;

const NANOSECONDS: u64 = 1_000_000_000;

#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Print only whether the server is up
    #[arg(short, long)]
    short: bool,

    /// Print the server's APIs, too
    #[arg(long)]
    api: bool,
}

/// What a server said, and how long it took.
struct Report {
    host: String,
    latency: Duration,
    status: Status,
}

// === impl StatusArgs ===

impl StatusArgs {
    pub(crate) fn run(self, output: Output) -> Result<ExitCode> {
        self.client.run(async |client| {
            if output.json && self.api {
                output::print(&output.encode(&client.apis().await?.apis)?)?;
                return Ok(ExitCode::SUCCESS);
            }
            let report = Report::fetch(&client).await?;
            if output.json {
                let compact = Output {
                    interactive: output.interactive && !self.short,
                    ..output
                };
                output::print(&compact.encode(&report.status)?)?;
                return Ok(ExitCode::SUCCESS);
            }
            let mut text = report.headline();
            if !self.short {
                text += &report.details();
            }
            if self.api {
                text += &api_table(client.apis().await?.apis);
            }
            output::print(&text)?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl Report ===

impl Report {
    async fn fetch(client: &Client) -> Result<Self> {
        let start = Instant::now();
        let status = client.status().await?;
        let latency = start.elapsed();
        let endpoint = client
            .endpoints()
            .first()
            .map(String::as_str)
            .unwrap_or_default();
        let host = endpoint
            .strip_prefix("https://")
            .unwrap_or(endpoint)
            .to_owned();
        Ok(Self {
            host,
            latency,
            status,
        })
    }

    fn headline(&self) -> String {
        let style = if self.status.keystore_unreachable {
            BAD
        } else {
            GOOD
        };
        format!("{style}●{style:#} {}\n", self.host)
    }

    fn details(&self) -> String {
        let status = &self.status;
        let row = |label: &str, value: &str| format!("  {FAINT}{label:<8}{FAINT:#} {value}\n");
        let mut text = [
            row("Version", &status.version),
            row("Uptime", &uptime(status.uptime)),
            row(
                "Latency",
                &GoDuration::from(round(self.latency)).to_string(),
            ),
            row("OS", &status.os),
            row("CPUs", &format!("{} {}", status.num_cpu_used, status.arch)),
            format!("  {FAINT}Memory{FAINT:#}\n"),
            row("· Heap", &decimal_size(status.mem_heap_used)),
            row("· Stack", &decimal_size(status.mem_stack_used)),
        ]
        .concat();
        if status.keystore_unreachable || status.keystore_unavailable {
            let since = status
                .serving_from_cache_since
                .map_or_else(String::new, |at| {
                    format!(", serving from cache since {}", at.strftime("%FT%TZ"))
                });
            text += &format!("  {FAINT}Key store{FAINT:#}  {BAD}unreachable{BAD:#}{since}\n");
        }
        text
    }
}

/// A server's uptime in the largest unit that fits. Servers up to 2023-10-03 sent
/// nanoseconds; nobody is up for the 31 years that the same number means in seconds.
fn uptime(value: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let seconds = if value < NANOSECONDS {
        value
    } else {
        value / NANOSECONDS
    };
    let rounded = |unit: u64| (seconds + unit / 2) / unit;
    if seconds > DAY {
        format!("{} days {} hours", seconds / DAY, seconds % DAY / HOUR)
    } else if seconds > HOUR {
        format!("{} hours", rounded(HOUR))
    } else if seconds > MINUTE {
        format!("{} minutes", rounded(MINUTE))
    } else {
        format!("{seconds} seconds")
    }
}

/// Whole milliseconds, or microseconds below one.
fn round(latency: Duration) -> Duration {
    let unit = if latency >= Duration::from_millis(1) {
        1_000_000
    } else {
        1_000
    };
    let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(nanoseconds.saturating_add(unit / 2) / unit * unit)
}

fn api_table(mut apis: Vec<ApiInfo>) -> String {
    apis.sort_by(|a, b| a.path.cmp(&b.path));
    let heading = format!("{:<7} {:<28} {}", "Method", "API", "Timeout");
    let rows = apis.iter().map(|api| {
        let timeout = match api.timeout {
            0 => "Inf".to_owned(),
            seconds => GoDuration::from(Duration::from_secs(seconds)).to_string(),
        };
        format!("  {:<7} {:<28} {timeout}\n", api.method, api.path)
    });
    format!(
        "\n  {TABLE_HEADING}{heading}{TABLE_HEADING:#}\n{}",
        rows.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn report() -> Report {
        Report {
            host: "127.0.0.1:7373".to_owned(),
            latency: Duration::from_micros(2_210),
            status: Status {
                version: "2025-05-26T22-04-48Z".to_owned(),
                os: "linux".to_owned(),
                arch: "amd64".to_owned(),
                uptime: 3 * 3600 + 5,
                num_cpu: 16,
                num_cpu_used: 8,
                mem_heap_used: 4_130_000,
                mem_stack_used: 1_090_000,
                keystore_latency: Some(1),
                keystore_unreachable: false,
                keystore_unavailable: false,
                serving_from_cache_since: None,
            },
        }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn reports_are_laid_out() {
        let mut report = report();
        assert_eq!(
            plain(&(report.headline() + &report.details())),
            "● 127.0.0.1:7373\n\
             \x20 Version  2025-05-26T22-04-48Z\n\
             \x20 Uptime   3 hours\n\
             \x20 Latency  2ms\n\
             \x20 OS       linux\n\
             \x20 CPUs     8 amd64\n\
             \x20 Memory\n\
             \x20 · Heap   4.1MB\n\
             \x20 · Stack  1.1MB\n"
        );
        report.status.keystore_unreachable = true;
        assert!(plain(&report.details()).ends_with("1.1MB\n  Key store  unreachable\n"));
        report.status.serving_from_cache_since = Some(Timestamp::UNIX_EPOCH);
        assert!(plain(&report.details()).ends_with(
            "  Key store  unreachable, serving from cache since 1970-01-01T00:00:00Z\n"
        ));
    }

    #[test]
    fn uptimes_use_the_largest_unit() {
        assert_eq!(uptime(59), "59 seconds");
        assert_eq!(uptime(150), "3 minutes");
        assert_eq!(uptime(3 * 3600), "3 hours");
        assert_eq!(uptime(49 * 3600), "2 days 1 hours");
        assert_eq!(uptime(3 * 3600 * NANOSECONDS), "3 hours");
    }

    #[test]
    fn apis_without_time_limit_are_marked() {
        let api = |method: &str, path: &str, timeout| ApiInfo {
            method: method.to_owned(),
            path: path.to_owned(),
            max_body: 0,
            timeout,
        };
        let table = api_table(vec![
            api("PUT", "/v1/key/create/", 15),
            api("GET", "/v1/log/audit", 0),
        ]);
        assert_eq!(
            plain(&table),
            "\n  Method  API                          Timeout\n\
             \x20 PUT     /v1/key/create/              15s\n\
             \x20 GET     /v1/log/audit                Inf\n"
        );
    }
}
