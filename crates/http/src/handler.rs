//! The hand-over from connections to an API.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;

use crate::{Body, Connection};

/// Answers requests; cloned for each connection, so a handler is a cheap handle.
pub trait Handler: Clone + Send + Sync + 'static {
    /// Answers one request of a connection.
    fn handle(
        &self,
        connection: &Arc<Connection>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>> + Send;

    /// Hears of a connection that ended before its first request: no TLS, a certificate that
    /// was refused, or too slow.
    fn handshake_failed(&self, peer: SocketAddr, error: &io::Error) {
        let _ = (peer, error);
    }
}
