use std::error::Error as StdError;
use std::fmt::Display;
use std::panic::Location;

use jiff::Timestamp;
use keystead_config::Level;

use crate::RequestAttributes;
use crate::line::Line;

/// One event of the error log.
///
/// The message is a literal and everything variable is an attribute that can
/// be displayed, which no type holding a secret can:
///
/// ```compile_fail
/// # use keystead_observe::{ErrorEvent, Level};
/// let token = zeroize::Zeroizing::new(String::from("s.secret"));
/// ErrorEvent::new(Level::ERROR, "login failed").attribute("token", token);
/// ```
#[derive(Debug)]
pub struct ErrorEvent {
    pub(crate) level: Level,
    message: &'static str,
    attributes: Vec<(&'static str, String)>,
    pub(crate) location: &'static Location<'static>,
}

// === impl ErrorEvent ===

impl ErrorEvent {
    /// An event without attributes.
    #[must_use]
    #[track_caller]
    pub fn new(level: Level, message: &'static str) -> Self {
        Self {
            level,
            message,
            attributes: Vec::new(),
            location: Location::caller(),
        }
    }

    /// Adds one attribute.
    #[must_use]
    pub fn attribute(mut self, key: &'static str, value: impl Display) -> Self {
        self.attributes.push((key, value.to_string()));
        self
    }

    /// Adds an error with its causes as `err`, the outermost first.
    #[must_use]
    pub fn error(self, error: &(dyn StdError + '_)) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            // Errors that already quote their cause would say it twice.
            if !text.ends_with(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            source = cause.source();
        }
        self.attribute("err", text)
    }

    /// Adds the `req.*` attributes.
    #[must_use]
    pub fn request(mut self, request: &RequestAttributes<'_>) -> Self {
        request.each(|key, value| self.attributes.push((key, value.to_string())));
        self
    }

    /// The event as a line of `key=value` pairs.
    pub(crate) fn line(&self, time: Timestamp) -> String {
        let mut line = Line::new(time, self.level, self.message);
        self.write_attributes(&mut line);
        line.into_string()
    }

    /// The event as a line of JSON with the same names; all values are texts.
    pub(crate) fn json(&self, time: Timestamp) -> String {
        let head = [
            ("time", format!("{time:.3}")),
            ("level", self.level.to_string()),
            ("msg", self.message.to_owned()),
        ];
        let mut line = String::new();
        for (key, value) in head.iter().chain(&self.attributes) {
            line.push(if line.is_empty() { '{' } else { ',' });
            line.push_str(&serde_json::Value::from(*key).to_string());
            line.push(':');
            line.push_str(&serde_json::Value::from(value.as_str()).to_string());
        }
        line.push('}');
        line
    }

    /// The message and the attributes without time and level.
    pub(crate) fn text(&self) -> String {
        let mut line = Line::default();
        self.write_attributes(&mut line);
        let attributes = line.into_string();
        match attributes.is_empty() {
            true => self.message.to_owned(),
            false => format!("{} {attributes}", self.message),
        }
    }

    fn write_attributes(&self, line: &mut Line) {
        for (key, value) in &self.attributes {
            line.pair(key, value);
        }
    }
}
