use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::authority::{Authority, Tls};
use crate::body::Body;
use crate::faults::{Fault, Faults};
use crate::journal::Journal;

/// What a double does with a request.
type Handler = dyn Fn(&Request<Bytes>) -> Response<Bytes> + Send + Sync;

/// A server on a free port of the loopback interface, which ends when it is dropped.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    handler: Box<Handler>,
    tls: Option<TlsAcceptor>,
    faults: Faults,
    journal: Journal,
    accepted: AtomicUsize,
    /// Every connection holds a clone.
    open: Arc<()>,
}

/// The connection is closed without an answer.
#[derive(Debug)]
struct Dropped;

impl std::error::Error for Dropped {}

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connection dropped")
    }
}

// === impl Server ===

impl Server {
    /// Starts a server with a certificate of `authority`.
    ///
    /// # Errors
    ///
    /// If there is no port, or no certificate.
    pub async fn start(
        authority: &Authority,
        tls: Tls,
        handler: impl Fn(&Request<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Result<Self> {
        let tls = authority.server(tls)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            tls: tls.map(TlsAcceptor::from),
            faults: Faults::default(),
            journal: Journal::default(),
            accepted: AtomicUsize::new(0),
            open: Arc::default(),
        });
        Ok(Self {
            address: listener.local_addr()?,
            scheme,
            accepting: tokio::spawn(accept(listener, Arc::clone(&shared))),
            shared,
        })
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// The switches for everything that can go wrong.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// The requests so far.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.shared.journal
    }

    /// How many connections were accepted so far.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::Relaxed)
    }

    /// How many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        Arc::strong_count(&self.shared.open) - 1
    }

    /// Ends the server with all its connections, as if its process were killed.
    pub async fn kill(&mut self) {
        self.accepting.abort();
        // It was aborted, or had been before.
        (&mut self.accepting).await.ok();
    }

    /// Starts the server again at its address, after [`Server::kill`].
    ///
    /// # Errors
    ///
    /// If the address is in use.
    pub async fn restart(&mut self) -> Result<()> {
        let listener = TcpListener::bind(self.address).await?;
        self.accepting = tokio::spawn(accept(listener, Arc::clone(&self.shared)));
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // With the server its connections go, too.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.accepted.fetch_add(1, Ordering::Relaxed);
        connections.spawn(serve(stream, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let _open = Arc::clone(&shared.open);
    stream.set_nodelay(true)?;
    match &shared.tls {
        Some(tls) => {
            let stream = tls.accept(stream).await?;
            shared.converse(stream).await;
        }
        None => shared.converse(stream).await,
    }
    Ok(())
}

/// What a request is about: its path, with the action that AWS has in a header instead.
fn place(request: &Request<Bytes>) -> String {
    let action = request.headers().get("x-amz-target");
    let action = action.and_then(|action| action.to_str().ok());
    [request.uri().path(), action.unwrap_or_default()].concat()
}

impl Shared {
    async fn converse(self: &Arc<Self>, stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
        let service = service_fn(|request| {
            let shared = Arc::clone(self);
            async move { shared.answer(request).await }
        });
        // It fails when a client goes away, and when a fault says so.
        auto::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service)
            .await
            .ok();
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
        let request = Request::from_parts(head, body);
        self.journal.note(&request);
        let fault = self.faults.take(&place(&request));
        let answer = match fault {
            None => (self.handler)(&request),
            Some(Fault::Answer(status, body)) => {
                let mut answer = Response::new(Bytes::from(body));
                *answer.status_mut() = status;
                answer
            }
            Some(Fault::Page(status, kind, body)) => Response::builder()
                .status(status)
                .header("content-type", kind)
                .body(body.into())
                .map_err(|_| Dropped)?,
            Some(Fault::Cut) => return Ok((self.handler)(&request).map(Body::cut)),
            Some(Fault::Slow(pause)) => {
                let answer = (self.handler)(&request);
                return Ok(answer.map(|body| Body::slow(body, pause)));
            }
            Some(Fault::Redirect(to)) => {
                let to = [
                    to.as_str(),
                    request.uri().path_and_query().map_or("", |p| p.as_str()),
                ];
                Response::builder()
                    .status(307)
                    .header("location", to.concat())
                    .body(Bytes::new())
                    .map_err(|_| Dropped)?
            }
            Some(Fault::Hang) => match std::future::pending::<Infallible>().await {},
            Some(Fault::Drop) => return Err(Dropped),
            Some(Fault::LoseAnswer) => {
                (self.handler)(&request);
                return Err(Dropped);
            }
        };
        Ok(answer.map(Body::whole))
    }
}
