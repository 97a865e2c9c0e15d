//! `minkms logs`: a server's error log, while it is written.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use jiff::Zoned;
use keystead_wire_kms::message::{LogRecord, LogRequest};
use keystead_wire_kms::{from_timestamp, to_timestamp};

use crate::output::{self, Output};
use crate::style::{BAD, FAINT};

use super::client::ClientArgs;
use super::when;

/// Stack traces are shown from this level on.
const TRACE_LEVEL: i32 = 8;

/// The zero time of Go, which stands for no time.
const UNSET: prost_types::Timestamp = prost_types::Timestamp {
    seconds: -62_135_596_800,
    nanos: 0,
};

#[derive(Args)]
pub(super) struct LogsArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Print records of this level and above
    #[arg(short, long, default_value = "INFO")]
    level: String,

    /// Print records whose message contains this text
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,

    /// Begin with what was written since: today, '2 hours ago', '1h30m ago', '2026-11-21 16:05'
    #[arg(short, long, value_name = "WHEN")]
    since: Option<String>,

    /// End after so many records
    #[arg(short = 'n', long, value_name = "NUM")]
    records: Option<u64>,

    /// Print messages alone
    #[arg(short, long)]
    quiet: bool,

    /// Print the time of day, and no stack traces
    #[arg(long)]
    short: bool,

    /// The server [default: one of MINIO_KMS_SERVER]
    #[arg(value_name = "HOST[:PORT]")]
    host: Option<String>,
}

// === impl LogsArgs ===

impl LogsArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        let since = self.since.as_deref();
        let since = since.map(|text| when::parse(text, &Zoned::now()));
        let request = LogRequest {
            level: when::level(&self.level)?,
            message: self.message.clone().unwrap_or_default(),
            since: Some(since.transpose()?.map_or(UNSET, to_timestamp)),
            trace_level: TRACE_LEVEL,
        };
        self.client.run(async |client| {
            let mut left = self.records.unwrap_or(u64::MAX);
            let mut records = client.logs(self.host.as_deref(), &request).await?;
            while left > 0
                && let Some(record) = records.next().await?
            {
                left -= 1;
                output::print(&match output.json {
                    true => output::json_line(&record)?,
                    false => self.lines(&record),
                })?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }

    fn lines(&self, record: &LogRecord) -> String {
        // Whoever wrote the message must not control the terminal.
        let message: String = record.message.chars().map(visible).collect();
        if self.quiet {
            return format!("{message}\n");
        }
        let time = record.time.as_ref().and_then(from_timestamp);
        let time = time.unwrap_or_default();
        let time = match self.short {
            true => time.strftime("%H:%M:%S"),
            false => time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        };
        let (name, style) = match record.level {
            ..0 => ("DEBUG", FAINT),
            0..4 => ("INFO", FAINT),
            4..8 => ("WARN", BAD),
            8.. => ("ERROR", BAD),
        };
        let mut lines = format!("{FAINT}{time}{FAINT:#} {style}{name:<5}{style:#} {message}\n");
        for frame in record.trace.iter().filter(|_| !self.short) {
            lines += &format!("    {} ({}:{})\n", frame.function, frame.file, frame.line);
        }
        lines
    }
}

fn visible(letter: char) -> char {
    match letter.is_control() {
        true => char::REPLACEMENT_CHARACTER,
        false => letter,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use keystead_wire_kms::message::log_record::StackFrame;

    use super::*;

    #[derive(Parser)]
    struct Logs {
        #[command(flatten)]
        args: LogsArgs,
    }

    fn lines(flags: &[&str]) -> String {
        let words = ["logs"].iter().chain(flags);
        let record = LogRecord {
            level: 8,
            time: Some(to_timestamp("2026-11-21T16:05:09Z".parse().unwrap())),
            message: "disk\u{1b}[31m full".to_owned(),
            trace: vec![StackFrame {
                function: "store::append".to_owned(),
                file: "log.rs".to_owned(),
                line: 7,
            }],
        };
        let text = Logs::parse_from(words).args.lines(&record);
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn records_have_several_lengths() {
        let message = "disk\u{fffd}[31m full";
        assert_eq!(
            lines(&[]),
            format!("2026-11-21T16:05:09Z ERROR {message}\n    store::append (log.rs:7)\n")
        );
        assert_eq!(lines(&["--short"]), format!("16:05:09 ERROR {message}\n"));
        assert_eq!(lines(&["-q"]), format!("{message}\n"));
    }
}
