use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use jiff::Timestamp;
use keystead_config::Level;
use keystead_wire_kes::ErrorRecord;
use prometheus::IntCounter;

use crate::console::Console;
use crate::history::History;
use crate::stream::{Live, Subscription};
use crate::{Error, ErrorEvent, KmsMetrics, LogEntry, LogSubscription, Metrics};

/// The error log: lines on the console and live subscribers
/// (KES protocol, section 8.2; MinIO KMS protocol, section 8.2).
pub struct ErrorLog {
    level: AtomicI32,
    format: LogFormat,
    console: Console<Arc<str>>,
    live: Live,
    /// Only the log of a MinIO KMS server remembers.
    history: Option<History>,
    /// Records by level: debug, info, warn, error.
    counted: Option<[IntCounter; 4]>,
    clock: fn() -> Timestamp,
}

/// The form of the lines on the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// `key=value` pairs.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
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
        let live = Live::new(metrics.error_delivered(), metrics.stream_missed());
        Self::start(level, output, clock, metrics.error_dropped(), live)
    }

    /// The log of a MinIO KMS server, which remembers its last records for those who
    /// [follow](Self::follow) it.
    ///
    /// # Errors
    ///
    /// [`Error::Writer`] if no thread can be started.
    pub fn for_kms(
        level: Level,
        format: LogFormat,
        output: impl Write + Send + 'static,
        clock: fn() -> Timestamp,
        metrics: &KmsMetrics,
    ) -> Result<Self, Error> {
        let [dropped, delivered, missed] = metrics.error_log_counters();
        let log = Self::start(level, output, clock, dropped, Live::new(delivered, missed))?;
        Ok(Self {
            format,
            history: Some(History::new()),
            counted: Some(metrics.log_records()),
            ..log
        })
    }

    fn start(
        level: Level,
        output: impl Write + Send + 'static,
        clock: fn() -> Timestamp,
        dropped: IntCounter,
        live: Live,
    ) -> Result<Self, Error> {
        let console = Console::start(output, |line: &Arc<str>| line.to_string(), dropped)
            .map_err(Error::Writer)?;
        Ok(Self {
            level: AtomicI32::new(level.value()),
            format: LogFormat::default(),
            console,
            live,
            history: None,
            counted: None,
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
        self.on_console(level) || self.on_stream(level) || self.in_history(level).is_some()
    }

    /// The time as the lines of the log have it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Records an event. Never blocks; if the console cannot keep up, the line
    /// is dropped and counted.
    #[expect(clippy::needless_pass_by_value, reason = "an event is recorded once")]
    pub fn record(&self, event: ErrorEvent) {
        let (console, stream) = (self.on_console(event.level), self.on_stream(event.level));
        let history = self.in_history(event.level);
        if !console && !stream && history.is_none() {
            return;
        }
        self.count(event.level);
        let time = self.now();
        if let Some(history) = history {
            history.record(LogEntry {
                level: event.level,
                time,
                message: event.text(),
                location: event.location,
            });
        }
        if stream {
            let message = event.line(time);
            self.live.send(ErrorRecord { message }.encode());
        }
        if console {
            let line = match self.format {
                LogFormat::Text => event.line(time),
                LogFormat::Json => event.json(time),
            };
            self.console.push(line.into());
        }
    }

    /// The records of at least `level`, for the log of a MinIO KMS server: those that are
    /// still remembered from `since` on, then every new one. `None` for other logs.
    #[must_use]
    pub fn follow(&self, level: Level, since: Option<Timestamp>) -> Option<LogSubscription> {
        let history = self.history.as_ref()?;
        Some(history.subscribe(level, since))
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

    fn in_history(&self, level: Level) -> Option<&History> {
        self.history.as_ref().filter(|history| history.wants(level))
    }

    fn count(&self, level: Level) {
        if let Some([debug, info, warn, error]) = &self.counted {
            let counter = match level {
                level if level >= Level::ERROR => error,
                level if level >= Level::WARN => warn,
                level if level >= Level::INFO => info,
                _ => debug,
            };
            counter.inc();
        }
    }
}
