use std::time::Duration;

use jiff::Timestamp;
use keystead_config::GoDuration;
use keystead_observe::{ErrorEvent, ErrorLog, Level, Metrics};
use tokio::time::Instant;

use crate::Error;

/// A time in which the key store does not answer, and how things stood when it began:
/// when the first of the probes was sent that have failed since.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    began: Instant,
    /// The same in the time of the error log.
    pub(super) since: Timestamp,
    /// How many keys had been found in the cache.
    hits: u64,
}

// === impl Outage ===

impl Outage {
    /// The one that begins now, if it is one.
    pub(super) fn beginning(log: &ErrorLog, metrics: &Metrics) -> Self {
        Self {
            began: Instant::now(),
            since: log.now(),
            hits: metrics.cache_hits(),
        }
    }

    /// How long it has been going on.
    pub(super) fn duration(&self) -> Duration {
        self.began.elapsed()
    }

    /// What the log says when it is noticed.
    pub(super) fn noticed(&self, cause: &Error) -> ErrorEvent {
        ErrorEvent::new(Level::ERROR, "key store is offline, serving from cache")
            .attribute("since", self.since.strftime("%FT%TZ"))
            .error(cause)
    }

    /// What the log says when it is over. Only what is served from the cache is
    /// counted: every other request has had its own line.
    pub(super) fn over(&self, metrics: &Metrics) -> ErrorEvent {
        let served = metrics.cache_hits().saturating_sub(self.hits);
        ErrorEvent::new(Level::WARN, "key store is online again")
            .attribute("offline", GoDuration::from(self.duration()))
            .attribute("served_from_cache", served)
    }
}
