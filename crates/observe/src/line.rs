use std::fmt::{self, Display, Write};

use jiff::Timestamp;
use keystead_config::Level;

/// One `key=value` text line in the form of Go's `log/slog` text handler:
/// values that would be ambiguous are quoted like `strconv.Quote` does it, so
/// that a hostile path or name can neither break a line nor forge a pair.
#[derive(Debug, Default)]
pub(crate) struct Line(String);

impl Line {
    /// A line with `time` (RFC 3339, milliseconds, UTC), `level` and `msg`.
    pub(crate) fn new(time: Timestamp, level: Level, message: &str) -> Self {
        let mut line = Self::default();
        line.pair("time", format_args!("{time:.3}"));
        line.pair("level", level);
        line.pair("msg", message);
        line
    }

    /// Appends one pair.
    pub(crate) fn pair(&mut self, key: &str, value: impl Display) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(key);
        self.0.push('=');
        let start = self.0.len();
        // Writing to a string fails only if `Display` itself reports an error;
        // what it wrote until then is kept.
        let _incomplete: fmt::Result = write!(self.0, "{value}");
        let quoted = self.0.get(start..).and_then(quote);
        if let Some(quoted) = quoted {
            self.0.truncate(start);
            self.0.push_str(&quoted);
        }
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// The quoted form of a value that needs it.
fn quote(value: &str) -> Option<String> {
    let plain = |c: char| c != ' ' && c != '=' && c != '"' && printable(c);
    if !value.is_empty() && value.chars().all(plain) {
        return None;
    }
    let mut quoted = String::with_capacity(value.len() + 8);
    quoted.push('"');
    for c in value.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            c if printable(c) => quoted.push(c),
            c => push_escape(&mut quoted, u32::from(c)),
        }
    }
    quoted.push('"');
    Some(quoted)
}

fn push_escape(quoted: &mut String, code: u32) {
    let _infallible: fmt::Result = match code {
        0..0x20 | 0x7f => write!(quoted, "\\x{code:02x}"),
        0x20..0x1_0000 => write!(quoted, "\\u{code:04x}"),
        _ => write!(quoted, "\\U{code:08x}"),
    };
}

/// Whether a character may stand unescaped. Combining marks, which Go would
/// print, are escaped: alone they would alter the character before them.
fn printable(c: char) -> bool {
    matches!(c, '\'' | '"' | '\\') || c.escape_debug().len() == 1
}

#[cfg(test)]
mod tests;
