use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::patience::Notes;

/// Ctrl-C and the signal to terminate.
pub(super) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

// === impl Interrupts ===

impl Interrupts {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Asks for an end after the keys that are under way; returns when somebody does not
    /// want to wait for it.
    pub(super) async fn twice(&mut self, halt: &CancellationToken, notes: &Notes) {
        self.next().await;
        halt.cancel();
        notes("Stopping after the keys that are under way; interrupt again to stop at once.\n");
        self.next().await;
    }
}
