//! Samples, their medians, and the tables made of them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;

use crate::Plan;
use crate::load::Outcome;

/// One measurement of one server.
pub(crate) struct Sample {
    per_second: f64,
    p50: Duration,
    p99: Duration,
    p999: Duration,
    /// CPU time of the server per request.
    cpu: Duration,
}

/// The samples of all rounds.
#[derive(Default)]
pub(crate) struct Series(Vec<Sample>);

/// Tables under headings.
pub(crate) struct Report(String);

// === impl Sample ===

impl Sample {
    pub(crate) fn new(outcome: &Outcome, cpu: Duration) -> Result<Self> {
        let requests = u32::try_from(outcome.requests())?.max(1);
        Ok(Self {
            per_second: outcome.per_second()?,
            p50: outcome.percentile(50.0),
            p99: outcome.percentile(99.0),
            p999: outcome.percentile(99.9),
            cpu: cpu / requests,
        })
    }
}

// === impl Series ===

impl Series {
    pub(crate) fn push(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// Requests per second, and how many times that of `base`.
    pub(crate) fn rate_cells(&self, base: Option<&Self>) -> [String; 2] {
        let own = self.median(|sample| sample.per_second);
        let ratio = base.map(|base| own / base.median(|sample| sample.per_second));
        [format!("{own:.0}"), ratio_cell(ratio)]
    }

    /// CPU microseconds per request, and how many times that of `base`.
    pub(crate) fn cpu_cells(&self, base: Option<&Self>) -> [String; 2] {
        let own = self.median(|sample| microseconds(sample.cpu));
        let ratio = base.map(|base| own / base.median(|sample| microseconds(sample.cpu)));
        [format!("{own:.1}"), ratio_cell(ratio)]
    }

    /// The 50th, 99th and 99.9th percentile in microseconds.
    pub(crate) fn latency_cells(&self) -> [String; 3] {
        [
            self.median(|sample| microseconds(sample.p50)),
            self.median(|sample| microseconds(sample.p99)),
            self.median(|sample| microseconds(sample.p999)),
        ]
        .map(|value| format!("{value:.0}"))
    }

    /// The 50th and the 99th percentile, and how many times those of `base` they are.
    pub(crate) fn latency_ratio_cells(&self, base: &Self) -> [String; 4] {
        let pair = |value: fn(&Sample) -> f64| {
            let own = self.median(value);
            [
                format!("{own:.0}"),
                ratio_cell(Some(own / base.median(value))),
            ]
        };
        let [p50, p50_ratio] = pair(|sample| microseconds(sample.p50));
        let [p99, p99_ratio] = pair(|sample| microseconds(sample.p99));
        [p50, p50_ratio, p99, p99_ratio]
    }

    fn median(&self, value: impl Fn(&Sample) -> f64) -> f64 {
        median(self.0.iter().map(value).collect())
    }
}

// === impl Report ===

impl Report {
    /// Starts with what was measured and where.
    pub(crate) fn new(plan: &Plan) -> Result<Self> {
        let cores = std::thread::available_parallelism()?;
        let processor = fs::read_to_string("/proc/cpuinfo")?;
        let processor = processor
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map_or("unknown processor", |(_, name)| name);
        let date = Timestamp::now().strftime("%Y-%m-%d");
        Ok(Self(format!(
            "Measured on {date}: {cores} cores ({processor}), client and servers on the same machine, \
             {} requests in flight, the median of {} rounds of {} s.\n",
            plan.in_flight, plan.rounds, plan.seconds
        )))
    }

    /// Adds a table and shows it.
    pub(crate) fn table(
        &mut self,
        title: &str,
        header: &[&str],
        rows: &[Vec<String>],
    ) -> Result<()> {
        let mut text = format!("\n### {title}\n\n| {} |\n", header.join(" | "));
        writeln!(text, "|{}", " --- |".repeat(header.len()))?;
        for row in rows {
            writeln!(text, "| {} |", row.join(" | "))?;
        }
        print!("{text}");
        self.0.push_str(&text);
        Ok(())
    }

    /// Puts the tables between the marks of that name in a Markdown file.
    pub(crate) fn write(&self, path: &Path, name: &str) -> Result<()> {
        let text =
            fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let (begin, end) = (
            format!("<!-- {name}: begin -->"),
            format!("<!-- {name}: end -->"),
        );
        let marks = || format!("{} has no `{begin}` and `{end}`", path.display());
        let (before, rest) = text.split_once(&begin).with_context(marks)?;
        let (_, after) = rest.split_once(&end).with_context(marks)?;
        fs::write(path, format!("{before}{begin}\n\n{}\n{end}{after}", self.0))?;
        Ok(())
    }
}

/// A duration for a cell, in milliseconds.
pub(crate) fn milliseconds_cell(values: Vec<Duration>) -> String {
    format!(
        "{:.1}",
        median(
            values
                .into_iter()
                .map(|value| value.as_secs_f64() * 1e3)
                .collect()
        )
    )
}

/// Bytes for a cell, in MiB.
pub(crate) fn memory_cell(bytes: u64) -> String {
    format!("{}", bytes / (1 << 20))
}

fn microseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn ratio_cell(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_value_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert!(median(Vec::new()).is_nan());
    }
}
