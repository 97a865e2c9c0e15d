//! Bounds on what a client may use up.

use std::time::Duration;

/// Time-outs and sizes of a listener.
///
/// The default values are those of KES (KES protocol, section 2.1) where it has any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time for the TLS handshake: 10 s.
    pub handshake: Duration,
    /// Time for the head of an HTTP/1.1 request, counted from its first byte: 5 s.
    pub header: Duration,
    /// Time a connection may stay open without a request: 90 s.
    pub idle: Duration,
    /// Time a client may leave a response unread: 30 s.
    pub stall: Duration,
    /// Time for running requests once the listener stops: 1 s.
    pub drain: Duration,
    /// Most connections open at once; further ones wait. Default: no bound.
    pub connections: Option<usize>,
    /// Most bytes in the head of a request: 64 KiB.
    pub head_bytes: u32,
    /// Most concurrent requests on one HTTP/2 connection: 250.
    pub streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(5),
            idle: Duration::from_secs(90),
            stall: Duration::from_secs(30),
            drain: Duration::from_secs(1),
            connections: None,
            head_bytes: 64 * 1024,
            streams: 250,
        }
    }
}
