use std::error::Error as StdError;
use std::fmt::Display;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use jiff::Timestamp;
use keystead_config::Level;
use keystead_wire_kes::ErrorRecord;

use crate::console::Console;
use crate::line::Line;
use crate::stream::{Live, Subscription};
use crate::{Error, Metrics, RequestAttributes};

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
    level: Level,
    message: &'static str,
    attributes: Line,
}

impl ErrorEvent {
    /// An event without attributes.
    #[must_use]
    pub fn new(level: Level, message: &'static str) -> Self {
        Self {
            level,
            message,
            attributes: Line::default(),
        }
    }

    /// Adds one attribute.
    #[must_use]
    pub fn attribute(mut self, key: &'static str, value: impl Display) -> Self {
        self.attributes.pair(key, value);
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
        request.write(&mut self.attributes);
        self
    }

    fn into_line(self, time: Timestamp) -> String {
        let mut line = Line::new(time, self.level, self.message);
        line.append(&self.attributes);
        line.into_string()
    }
}

/// The error log: text lines on the console and live subscribers
/// (KES protocol, section 8.2).
pub struct ErrorLog {
    level: AtomicI32,
    console: Console<Arc<str>>,
    live: Live,
    clock: fn() -> Timestamp,
}

impl ErrorLog {
    /// A log that writes events of at least `level` to `output`.
    ///
    /// # Errors
    ///
    /// [`Error::Writer`] if no thread can be started.
    pub fn new(
        level: Level,
        output: impl Write + Send + 'static,
        clock: fn() -> Timestamp,
        metrics: &Metrics,
    ) -> Result<Self, Error> {
        let console = Console::start(
            output,
            |line: &Arc<str>| line.to_string(),
            metrics.error_dropped(),
        )
        .map_err(Error::Writer)?;
        Ok(Self {
            level: AtomicI32::new(level.value()),
            console,
            live: Live::new(metrics.error_delivered(), metrics.stream_missed()),
            clock,
        })
    }

    /// Changes the least level of the console.
    pub fn set_level(&self, level: Level) {
        self.level.store(level.value(), Ordering::Relaxed);
    }

    /// Whether anybody would see an event of this level. Asking first saves the
    /// cost of building an event that is only of interest at `DEBUG`.
    #[must_use]
    pub fn enabled(&self, level: Level) -> bool {
        self.on_console(level) || self.on_stream(level)
    }

    /// The time as the lines of the log have it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Records an event. Never blocks; if the console cannot keep up, the line
    /// is dropped and counted.
    pub fn record(&self, event: ErrorEvent) {
        let (console, stream) = (self.on_console(event.level), self.on_stream(event.level));
        if !console && !stream {
            return;
        }
        let line: Arc<str> = event.into_line(self.now()).into();
        if stream {
            let message = line.to_string();
            self.live.send(ErrorRecord { message }.encode());
        }
        if console {
            self.console.push(line);
        }
    }

    /// A stream of the events recorded from now on, as `{"message":"…"}` lines.
    /// It carries `INFO` and above whatever the level of the console is.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        self.live.subscribe()
    }

    /// Waits until every line recorded before has been written to the console.
    pub async fn flush(&self) {
        self.console.flush().await;
    }

    fn on_console(&self, level: Level) -> bool {
        level.value() >= self.level.load(Ordering::Relaxed)
    }

    fn on_stream(&self, level: Level) -> bool {
        level >= Level::INFO && self.live.has_subscribers()
    }
}
