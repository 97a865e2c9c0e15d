use std::sync::Arc;

use crate::{ErrorLog, Metrics};

/// Where something that works in the background tells how it is doing.
#[derive(Clone)]
pub struct Telemetry {
    /// Counters and gauges.
    pub metrics: Arc<Metrics>,
    /// What went wrong, and what was done about it.
    pub log: Arc<ErrorLog>,
}
