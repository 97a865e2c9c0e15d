use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, Uri, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::Client as PooledClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use keystead_tls::ClientConfig;
use keystead_wire_kes::CONTENT_TYPE_JSON;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::util::{BoxCloneSyncService, ServiceExt};
use tower::{BoxError, service_fn};

use crate::Error;
use crate::endpoint::{Endpoint, is_local};

/// Time to reach the server or the proxy before it.
const DIAL_TIMEOUT: Duration = Duration::from_secs(30);

/// Time for the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a connection in use is checked, for log streams that are silent for long.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// Time for the answer to such a check.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// How long an unused connection stays open.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// The most unused connections to one server.
const MAX_IDLE: usize = 100;

const USER_AGENT: &str = concat!("keystead/", env!("CARGO_PKG_VERSION"));

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// A pool of connections to all servers.
#[derive(Clone)]
pub(crate) struct Transport {
    pool: PooledClient<BoxCloneSyncService<Uri, Stream, BoxError>, Full<Bytes>>,
}

// === impl Transport ===

impl Transport {
    /// `proxies` says through which proxy to connect; servers on this machine are
    /// reached directly.
    pub(crate) fn new(tls: ClientConfig, proxies: Matcher) -> Self {
        let tls = Arc::new(tls);
        let proxies = Arc::new(proxies);
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(DIAL_TIMEOUT));
        let connector = service_fn(move |server: Uri| {
            let tcp = tcp.clone();
            let proxies = Arc::clone(&proxies);
            let dial = service_fn(move |server| dial(tcp.clone(), Arc::clone(&proxies), server));
            let https = HttpsConnector::from((dial, Arc::clone(&tls)));
            connect(https, server)
        });
        let pool = PooledClient::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE)
            .http2_keep_alive_interval(PING_INTERVAL)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .build(BoxCloneSyncService::new(connector));
        Self { pool }
    }

    /// Sends one request and waits for the head of the response.
    pub(crate) async fn send(
        &self,
        server: &Endpoint,
        method: &Method,
        path: &str,
        body: &Bytes,
    ) -> Result<Response<Incoming>, Error> {
        let mut request = Request::builder()
            .method(method)
            .uri([server.url(), path].concat())
            .header(header::USER_AGENT, USER_AGENT);
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, CONTENT_TYPE_JSON);
        }
        let failed = |error: BoxError| Error::connection(server.host(), error);
        let request = request
            .body(Full::new(body.clone()))
            .map_err(|error| failed(error.into()))?;
        self.pool
            .request(request)
            .await
            .map_err(|error| failed(error.into()))
    }
}

async fn connect<D>(https: HttpsConnector<D>, server: Uri) -> Result<Stream, BoxError>
where
    HttpsConnector<D>: tower::Service<Uri, Response = Stream, Error = BoxError>,
{
    timeout(DIAL_TIMEOUT + HANDSHAKE_TIMEOUT, https.oneshot(server))
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "connecting timed out"))?
}

/// Opens a TCP connection to the server, through a proxy if there is one for it.
async fn dial(
    tcp: HttpConnector,
    proxies: Arc<Matcher>,
    server: Uri,
) -> Result<TokioIo<TcpStream>, BoxError> {
    let local = server.authority().is_some_and(is_local);
    let Some(proxy) = proxies.intercept(&server).filter(|_| !local) else {
        return Ok(tcp.oneshot(server).await?);
    };
    if proxy.uri().scheme_str() != Some("http") {
        return Err("only proxies with the scheme 'http' are supported".into());
    }
    let mut tunnel = Tunnel::new(proxy.uri().clone(), tcp);
    if let Some(credentials) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(credentials.clone());
    }
    Ok(tunnel.oneshot(server).await?)
}
