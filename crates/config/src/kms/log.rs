//! `log`

use std::path::PathBuf;

use crate::read::Section;

/// `log`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Where errors are written; on standard error if not given.
    pub error: LogTarget,
    /// Where every request is written; nowhere if not given.
    pub audit: LogTarget,
    /// The form of the error log. Audit records are JSON always.
    pub format: LogFormat,
}

/// Where a log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// Nowhere.
    Off,
    /// Errors to standard error, audit records to standard output.
    On,
    /// The end of a file.
    File(PathBuf),
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            error: LogTarget::On,
            audit: LogTarget::Off,
            format: LogFormat::default(),
        }
    }
}

impl LogConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        Self {
            error: target(section, "error").unwrap_or(default.error),
            audit: target(section, "audit").unwrap_or(default.audit),
            format: format(section).unwrap_or_default(),
        }
    }
}

fn target(section: &Section<'_>, key: &'static str) -> Option<LogTarget> {
    const WORDS: [&str; 8] = [
        "true", "false", "yes", "no", "debug", "info", "warn", "error",
    ];
    let field = section.text(key)?;
    let word = field.value.to_ascii_lowercase();
    match word.as_str() {
        "on" => Some(LogTarget::On),
        "off" => Some(LogTarget::Off),
        // Nobody means a file of such a name.
        word if WORDS.contains(&word) => {
            let message = format!("invalid log target '{}'", field.value);
            section.wrong(&field.place, message, "write on, off or the path of a file");
            None
        }
        _ => Some(LogTarget::File(PathBuf::from(field.value))),
    }
}

fn format(section: &Section<'_>) -> Option<LogFormat> {
    let field = section.text("format")?;
    match field.value.as_str() {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        other => {
            let message = format!("invalid log format '{other}'");
            section.wrong(&field.place, message, "write text or json");
            None
        }
    }
}
