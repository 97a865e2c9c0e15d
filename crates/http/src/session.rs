//! One connection from its acceptance to its end.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use keystead_tls::{ServerConfig, peer_identity, public_key_hash};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::activity::{Activity, Due, Observed};
use crate::{Connection, Handler, Limits};

/// First byte of a TLS handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// hyper refuses smaller buffers; a request head has to fit into one.
const SMALLEST_BUFFER: usize = 8192;

/// Quiet time after which the peer is probed: a log stream whose reader is gone would stay open
/// for as long as there is nothing to log.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// What Go's server answers to plain HTTP on a TLS port.
const PLAIN_HTTP: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// What all connections of a listener have in common.
pub(crate) struct Sessions<H> {
    pub(crate) handler: H,
    pub(crate) limits: Limits,
    pub(crate) shutdown: CancellationToken,
    http1: auto::Builder<TokioExecutor>,
    http2: auto::Builder<TokioExecutor>,
}

/// Where a connection stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Asked to part after it had been idle.
    Parting,
    /// Asked to part because the listener stops.
    Draining,
}

// === impl Sessions ===

impl<H: Handler> Sessions<H> {
    pub(crate) fn new(handler: H, limits: Limits, shutdown: CancellationToken) -> Self {
        let head_bytes = usize::try_from(limits.head_bytes).unwrap_or(usize::MAX);
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .header_read_timeout(None)
            .max_buf_size(head_bytes.max(SMALLEST_BUFFER));
        builder
            .http2()
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(limits.head_bytes);
        Self {
            handler,
            limits,
            shutdown,
            http1: builder.clone().http1_only(),
            http2: builder.http2_only(),
        }
    }

    /// Serves one connection to its end.
    pub(crate) async fn run(&self, socket: TcpStream, peer: SocketAddr, tls: Arc<ServerConfig>) {
        let handshake = timeout(self.limits.handshake, handshake(socket, tls));
        let stream = tokio::select! {
            biased;
            () = self.shutdown.cancelled() => return,
            outcome = handshake => match outcome.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok(stream) => stream,
                Err(error) => return self.handler.handshake_failed(peer, &error),
            },
        };
        let (socket, session) = stream.get_ref();
        let Ok(local) = socket.local_addr() else {
            return;
        };
        let certificates = session.peer_certificates().unwrap_or_default();
        let connection = Connection::new(peer, local, peer_identity(certificates))
            .with_public_key_hash(public_key_hash(certificates));
        let http2 = session.alpn_protocol() == Some(b"h2");
        self.serve(stream, connection, http2).await;
    }

    /// Serves the requests of a connection.
    pub(crate) async fn serve<S>(&self, stream: S, connection: Connection, http2: bool)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Activity::new(!http2);
        // Requests share what belongs to their connection and nothing else: a count that
        // all connections change would go back and forth between the processors.
        let shared = Arc::new((self.handler.clone(), Arc::new(connection)));
        let service = service_fn(|request| {
            let running = activity.begin();
            let shared = Arc::clone(&shared);
            async move {
                let (handler, connection) = &*shared;
                let response = handler.handle(connection, request).await;
                Ok::<_, Infallible>(response.map(|body| running.until_end_of(body)))
            }
        });
        let builder = if http2 { &self.http2 } else { &self.http1 };
        let stream = TokioIo::new(Observed::new(stream, Arc::clone(&activity)));
        let mut requests = pin!(builder.serve_connection(stream, service));
        // Waiting takes a lock, which here is the connection's own.
        let shutdown = self.shutdown.child_token();
        let mut shutdown = pin!(shutdown.cancelled());
        let mut timer = pin!(sleep_until(Instant::now() + self.limits.idle));
        let mut phase = Phase::Open;

        poll_fn(|cx| {
            loop {
                // How a connection ends is the peer's business.
                if requests.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                if phase != Phase::Draining && shutdown.as_mut().poll(cx).is_ready() {
                    phase = Phase::Draining;
                    requests.as_mut().graceful_shutdown();
                    timer.as_mut().reset(Instant::now() + self.limits.drain);
                    continue;
                }
                let deadline = activity.deadline(&self.limits);
                if let (Phase::Open, Some((at, _))) = (phase, deadline)
                    && at < timer.deadline()
                {
                    timer.as_mut().reset(at);
                }
                ready!(timer.as_mut().poll(cx));
                let now = Instant::now();
                match (phase, deadline) {
                    (Phase::Draining, _) | (Phase::Parting, Some(_)) => return Poll::Ready(()),
                    (Phase::Open, Some((at, Due::Cut))) if at <= now => return Poll::Ready(()),
                    (Phase::Open, Some((at, Due::Part))) if at <= now => {
                        phase = Phase::Parting;
                        requests.as_mut().graceful_shutdown();
                        timer.as_mut().reset(now + self.limits.drain);
                    }
                    (Phase::Open, Some((at, _))) => timer.as_mut().reset(at),
                    (Phase::Open | Phase::Parting, None) => {
                        timer.as_mut().reset(now + self.limits.idle);
                    }
                }
            }
        })
        .await;
    }
}

async fn handshake(
    mut socket: TcpStream,
    tls: Arc<ServerConfig>,
) -> io::Result<TlsStream<TcpStream>> {
    socket.set_nodelay(true)?;
    SockRef::from(&socket).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))?;
    let mut first = [0];
    socket.peek(&mut first).await?;
    match first {
        [HANDSHAKE] => TlsAcceptor::from(tls).accept(socket).await,
        [byte] => {
            if byte.is_ascii_uppercase() {
                socket.write_all(PLAIN_HTTP).await?;
                socket.shutdown().await?;
            }
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "first record does not look like a TLS handshake",
            ))
        }
    }
}
