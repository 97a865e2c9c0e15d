use std::io::Write;
use std::sync::Arc;

use jiff::Timestamp;

use crate::{Error, ErrorLog, Level, Metrics};

/// Where something that works in the background tells how it is doing.
#[derive(Clone)]
pub struct Telemetry {
    /// Counters and gauges.
    pub metrics: Arc<Metrics>,
    /// What went wrong, and what was done about it.
    pub log: Arc<ErrorLog>,
}

// === impl Telemetry ===

impl Telemetry {
    /// New metrics, and a log that writes events of at least `level` to `output`.
    ///
    /// # Errors
    ///
    /// Those of [`Metrics::new`] and [`ErrorLog::new`].
    pub fn new(level: Level, output: impl Write + Send + 'static) -> Result<Self, Error> {
        let metrics = Arc::new(Metrics::new()?);
        let log = ErrorLog::new(level, output, Timestamp::now, &metrics)?;
        Ok(Self {
            metrics,
            log: Arc::new(log),
        })
    }
}
