//! The TLS set-up in force.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::ServerTls;

/// Holds the TLS set-up that new connections use and lets it be replaced at any moment.
///
/// Open connections keep what they were made with.
pub struct TlsSlot(ArcSwap<ServerTls>);

impl TlsSlot {
    /// A slot that holds `tls`.
    pub fn new(tls: ServerTls) -> Self {
        Self(ArcSwap::from_pointee(tls))
    }

    /// What holds at this moment.
    pub fn current(&self) -> Arc<ServerTls> {
        self.0.load_full()
    }

    /// Puts `tls` in force for all handshakes that start from now on.
    pub fn replace(&self, tls: ServerTls) {
        self.0.store(Arc::new(tls));
    }
}
