use std::future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use keystead_observe::{ErrorEvent, ErrorLog, Level};
use keystead_tls::{Error, FileWatch};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// How often certificates are read again, should the system not report their change.
const CERTIFICATES: Duration = Duration::from_secs(15 * 60);

/// What may make a server read its files again.
pub(crate) struct Occasions {
    hang_up: Signal,
    /// None if files cannot be watched.
    files: Option<FileWatch>,
    certificates: Interval,
    error_log: Arc<ErrorLog>,
}

/// Something to read again.
pub(crate) enum Occasion {
    /// The whole configuration: somebody asks for it.
    HangUp,
    /// Keys, certificates and authorities: they changed, or may have.
    Certificates,
}

// === impl Occasions ===

impl Occasions {
    /// Waits for signals, and for changes of `files`.
    pub(crate) fn new(files: Vec<PathBuf>, error_log: Arc<ErrorLog>) -> Result<Self> {
        let mut certificates = interval_at(Instant::now() + CERTIFICATES, CERTIFICATES);
        certificates.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut occasions = Self {
            hang_up: signal(SignalKind::hangup())?,
            files: None,
            certificates,
            error_log,
        };
        occasions.watch(files);
        Ok(occasions)
    }

    /// Waits for changes of `files` from now on. A system that has no more watches is no
    /// reason to serve no keys: the time-out is still there.
    pub(crate) fn watch(&mut self, files: Vec<PathBuf>) {
        self.files = FileWatch::new(files)
            .map_err(|error| self.report(&error))
            .ok();
    }

    /// Waits for the next occasion.
    pub(crate) async fn next(&mut self) -> Occasion {
        let changed = async {
            match &mut self.files {
                Some(files) => files.changed().await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            _ = self.hang_up.recv() => Occasion::HangUp,
            _ = self.certificates.tick() => Occasion::Certificates,
            changed = changed => {
                if let Err(error) = changed {
                    self.report(&error);
                    self.files = None;
                }
                Occasion::Certificates
            }
        }
    }

    fn report(&self, error: &Error) {
        let event = ErrorEvent::new(Level::WARN, "changed certificates are noticed late");
        self.error_log.record(event.error(error));
    }
}
