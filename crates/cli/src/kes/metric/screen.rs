use std::io;
use std::time::Duration;

use keystead_config::GoDuration;

use crate::kes::text::decimal_size;
use crate::output;
use crate::style::{BAD, FAINT, GOOD};

use super::sample::Sample;

const HIDE_CURSOR: &str = "\x1b[?25l";
const SHOW_CURSOR: &str = "\x1b[?25h";

/// Text that is drawn in place again and again.
pub(super) struct Screen {
    lines: usize,
}

// === impl Screen ===

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        output::print_raw(HIDE_CURSOR)?;
        Ok(Self { lines: 0 })
    }

    pub(super) fn draw(&mut self, text: &str) -> io::Result<()> {
        if self.lines > 0 {
            // To the first line of the text, and from there on nothing.
            output::print_raw(&format!("\x1b[{}F\x1b[J", self.lines))?;
        }
        self.lines = text.lines().count();
        output::print(text)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs no cursor.
        output::print_raw(SHOW_CURSOR).ok();
    }
}

/// Both tables: requests since the start, rate and latency since the sample before.
pub(super) fn tables(sample: &Sample, before: Option<(Duration, &Sample)>) -> String {
    let requests = sample.requests();
    let share = |part: u64| format!("{} {part}", percentage(part, requests));
    let (rate, latency) = match before {
        Some((time, before)) => (rate(sample, before, time), latency(sample, before)),
        None => ("-".to_owned(), "-".to_owned()),
    };
    let up_time = Duration::from_secs(Duration::from_nanos(sample.up_time).as_secs());
    let request_row = [
        share(sample.success),
        share(sample.error),
        share(sample.failure),
        rate,
        latency,
    ];
    let [success, error, failure, rate, latency] = request_row.map(|cell| format!("{cell:<18}"));
    [
        row(
            "Request",
            &["OK [2xx]", "Err [4xx]", "Err [5xx]", "Req/s", "Latency"],
        ),
        format!(
            "{:<9}{GOOD}{success}{GOOD:#}{BAD}{error}{BAD:#}{BAD}{failure}{BAD:#}{rate}{}\n",
            "",
            latency.trim_end()
        ),
        "\n".to_owned(),
        row("System", &["UpTime", "Heap", "Stack", "CPUs", "Threads"]),
        format!(
            "{:<9}{:<18}{:<18}{:<18}{:<18}{}\n",
            "",
            GoDuration::from(up_time).to_string(),
            decimal_size(sample.heap_used),
            decimal_size(sample.stack_used),
            sample.cpus_used,
            sample.threads
        ),
    ]
    .concat()
}

fn row(title: &str, headings: &[&str]) -> String {
    let headings: String = headings
        .iter()
        .map(|heading| format!("{heading:<18}"))
        .collect();
    format!("{title:<9}{FAINT}{}{FAINT:#}\n", headings.trim_end())
}

/// `12.5%`, in whole numbers.
fn percentage(part: u64, whole: u64) -> String {
    let tenths = (part * 1000 + whole / 2).checked_div(whole).unwrap_or(0);
    format!("{}.{}%", tenths / 10, tenths % 10)
}

fn rate(sample: &Sample, before: &Sample, time: Duration) -> String {
    let requests = u128::from(sample.requests().saturating_sub(before.requests()));
    let tenths = (requests * 10_000)
        .checked_div(time.as_millis())
        .unwrap_or(0);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// The mean time of the requests since the sample before.
fn latency(sample: &Sample, before: &Sample) -> String {
    let sum = sample
        .response_time_sum
        .saturating_sub(before.response_time_sum);
    let count = sample
        .response_time_count
        .saturating_sub(before.response_time_count);
    match sum.checked_div(count) {
        Some(mean) => GoDuration::from(Duration::from_micros(mean / 1000)).to_string(),
        None => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_show_rate_and_latency_since_the_sample_before() {
        let before = Sample {
            success: 90,
            response_time_count: 90,
            ..Sample::default()
        };
        let sample = Sample {
            success: 95,
            error: 4,
            failure: 1,
            up_time: 3_601_500_000_000,
            cpus_used: 2,
            threads: 12,
            heap_used: 4_130_000,
            stack_used: 1_090_000,
            response_time_sum: 15_000_000,
            response_time_count: 100,
            ..Sample::default()
        };
        let tables = tables(&sample, Some((Duration::from_secs(4), &before)));
        assert_eq!(
            anstream::adapter::strip_str(&tables).to_string(),
            "Request  OK [2xx]          Err [4xx]         Err [5xx]         Req/s             Latency\n\
             \x20        95.0% 95          4.0% 4            1.0% 1            2.5               1.5ms\n\
             \n\
             System   UpTime            Heap              Stack             CPUs              Threads\n\
             \x20        1h0m1s            4.1MB             1.1MB             2                 12\n"
        );
    }

    #[test]
    fn the_first_sample_has_no_rate() {
        let tables = tables(&Sample::default(), None);
        assert!(
            anstream::adapter::strip_str(&tables)
                .to_string()
                .contains("0.0% 0            -                 -\n")
        );
    }
}
