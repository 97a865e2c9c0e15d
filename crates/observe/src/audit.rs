use std::borrow::Cow;
use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use keystead_config::{GoDuration, Level};
use keystead_identity::Identity;
use keystead_wire_kes::{AuditRecord, AuditRequest, AuditResponse};

use crate::console::{Console, Pushed};
use crate::line::Line;
use crate::stream::{Live, Subscription};
use crate::{Error, ErrorEvent, ErrorLog, Metrics, RequestAttributes};

/// One request and its answer (KES protocol, section 8.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// When the request arrived.
    pub time: Timestamp,
    /// The HTTP method.
    pub method: Method,
    /// The address of the client, or the one a trusted proxy forwarded.
    pub ip: Option<IpAddr>,
    /// The decoded URL path.
    pub path: String,
    /// Who asked, if the client showed a usable certificate.
    pub identity: Option<Identity>,
    /// The HTTP status of the answer.
    pub code: u16,
    /// How long the answer took.
    pub duration: Duration,
}

impl AuditEvent {
    /// The line the console shows.
    fn line(&self) -> String {
        let mut line = Line::new(self.time, Level::INFO, &self.message());
        RequestAttributes {
            method: &self.method,
            path: &self.path,
            ip: self.ip,
            identity: self.identity.as_ref(),
        }
        .write(&mut line);
        line.pair("res.code", self.code);
        line.pair("res.time", GoDuration::from(self.duration));
        line.into_string()
    }

    /// What happened: the changes of keys in the words that log watchers
    /// already look for, everything else by its outcome.
    fn message(&self) -> Cow<'static, str> {
        let key = |route| self.path.strip_prefix(route);
        if self.code == 200 {
            if let Some(name) = key("/v1/key/create/").or_else(|| key("/v1/key/import/")) {
                return format!("secret key '{name}' created").into();
            }
            if let Some(name) = key("/v1/key/delete/") {
                return format!("secret key '{name}' deleted").into();
            }
        }
        match self.code {
            0..400 => "request served".into(),
            400..500 => "request refused".into(),
            _ => "request failed".into(),
        }
    }

    /// The line live subscribers get.
    fn json(&self) -> Bytes {
        AuditRecord {
            time: self.time,
            request: AuditRequest {
                ip: self.ip,
                path: self.path.clone(),
                identity: self.identity.as_ref().map(Identity::to_string),
            },
            response: AuditResponse {
                code: self.code,
                time: u64::try_from(self.duration.as_nanos()).unwrap_or(u64::MAX),
            },
        }
        .encode()
    }
}

/// The audit log: text lines on the console and live subscribers.
///
/// Audit lines have level `INFO`, so any console level above it turns the
/// console off. Subscribers get every event whatever that level is.
pub struct AuditLog {
    level: AtomicI32,
    console: Console<Arc<AuditEvent>>,
    live: Live,
    errors: Arc<ErrorLog>,
}

impl AuditLog {
    /// A log that writes to `output` and reports an overflow to `errors`.
    ///
    /// # Errors
    ///
    /// [`Error::Writer`] if no thread can be started.
    pub fn new(
        level: Level,
        output: impl Write + Send + 'static,
        errors: Arc<ErrorLog>,
        metrics: &Metrics,
    ) -> Result<Self, Error> {
        let console = Console::start(
            output,
            |event: &Arc<AuditEvent>| event.line(),
            metrics.audit_dropped(),
        )
        .map_err(Error::Writer)?;
        Ok(Self {
            level: AtomicI32::new(level.value()),
            console,
            live: Live::new(metrics.audit_delivered(), metrics.stream_missed()),
            errors,
        })
    }

    /// Changes the level of the console.
    pub fn set_level(&self, level: Level) {
        self.level.store(level.value(), Ordering::Relaxed);
    }

    /// Whether anybody would see an event. Asking first saves building it.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.on_console() || self.live.has_subscribers()
    }

    /// Records an event. Never blocks.
    ///
    /// If the queue of the console is full the event is dropped, because a
    /// stopped reader of standard output must not stop the use of keys. The
    /// loss is counted, and reported once in the error log until the console
    /// has caught up.
    pub fn record(&self, event: AuditEvent) {
        if self.live.has_subscribers() {
            self.live.send(event.json());
        }
        if self.on_console()
            && self.console.push(Arc::new(event)) == (Pushed::Dropped { first: true })
        {
            self.errors.record(ErrorEvent::new(
                Level::ERROR,
                "audit log cannot keep up: events are dropped and counted",
            ));
        }
    }

    /// A stream of the events recorded from now on, as JSON lines.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        self.live.subscribe()
    }

    /// Waits until every event recorded before has been written to the console.
    pub async fn flush(&self) {
        self.console.flush().await;
    }

    fn on_console(&self) -> bool {
        Level::INFO.value() >= self.level.load(Ordering::Relaxed)
    }
}
