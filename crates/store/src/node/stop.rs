use std::fmt;
use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// Why a node stopped by itself: what failed, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node has stopped: {0}")]
pub struct Stopped(Arc<str>);

/// The brake of a node. The first reason wins; there is no way back but a new start.
#[derive(Default)]
pub(crate) struct Stop {
    reason: OnceLock<Stopped>,
    signal: CancellationToken,
}

// === impl Stopped ===

impl Stopped {
    /// The reason alone.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0
    }
}

// === impl Stop ===

impl Stop {
    pub(crate) fn stop(&self, reason: &dyn fmt::Display) {
        self.reason
            .get_or_init(|| Stopped(Arc::from(reason.to_string())));
        self.signal.cancel();
    }

    pub(crate) fn check(&self) -> Result<(), Stopped> {
        match self.reason.get() {
            None => Ok(()),
            Some(stopped) => Err(stopped.clone()),
        }
    }

    pub(crate) async fn stopped(&self) -> Stopped {
        self.signal.cancelled().await;
        self.reason
            .get()
            .cloned()
            .unwrap_or_else(|| Stopped(Arc::from("no reason was given")))
    }
}
