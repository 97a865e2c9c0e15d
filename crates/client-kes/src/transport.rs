use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response, header};
use keystead_tls::ClientConfig;
use keystead_wire_kes::CONTENT_TYPE_JSON;
use reqwest::redirect::Policy;
use reqwest::{Body, Client as Pool, ClientBuilder};

use crate::Error;
use crate::endpoint::Endpoint;

/// Time to connect: 30 seconds to reach the server and 10 for the TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(40);

/// How often a connection in use is checked, for log streams that are silent for long.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// Time for the answer to such a check.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// How long an unused connection stays open.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// The most unused connections to one server.
const MAX_IDLE: usize = 100;

const USER_AGENT: &str = concat!("keystead/", env!("CARGO_PKG_VERSION"));

/// The connections to all servers.
pub(crate) struct Transport {
    /// To this machine, without a proxy whatever the environment says.
    local: Pool,
    remote: Pool,
}

// === impl Transport ===

impl Transport {
    /// Connections with this TLS, through the proxies of the environment.
    pub(crate) fn new(tls: ClientConfig) -> Result<Self, Error> {
        Self::build(tls, |builder| builder)
    }

    /// Connections to servers elsewhere through `proxy`, or through none.
    #[cfg(test)]
    pub(crate) fn with_proxy(
        tls: ClientConfig,
        proxy: Option<reqwest::Proxy>,
    ) -> Result<Self, Error> {
        Self::build(tls, |builder| match proxy {
            Some(proxy) => builder.proxy(proxy),
            None => builder.no_proxy(),
        })
    }

    fn build(
        tls: ClientConfig,
        remote: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, Error> {
        let builder = |tls: ClientConfig| {
            Pool::builder()
                .tls_backend_preconfigured(tls)
                .https_only(true)
                .redirect(Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .pool_idle_timeout(IDLE_TIMEOUT)
                .pool_max_idle_per_host(MAX_IDLE)
                .http2_keep_alive_interval(PING_INTERVAL)
                .http2_keep_alive_timeout(PING_TIMEOUT)
                .user_agent(USER_AGENT)
        };
        let build = |builder: ClientBuilder| {
            builder
                .build()
                .map_err(|error| Error::Setup(Arc::new(error)))
        };
        Ok(Self {
            local: build(builder(tls.clone()).no_proxy())?,
            remote: build(remote(builder(tls)))?,
        })
    }

    /// Sends one request and waits for the head of the response.
    pub(crate) async fn send(
        &self,
        server: &Endpoint,
        method: &Method,
        path: &str,
        body: &Bytes,
    ) -> Result<Response<Body>, Error> {
        let pool = if server.is_local() {
            &self.local
        } else {
            &self.remote
        };
        let mut request = pool.request(method.clone(), [server.url(), path].concat());
        if !body.is_empty() {
            request = request
                .header(header::CONTENT_TYPE, CONTENT_TYPE_JSON)
                .body(body.clone());
        }
        match request.send().await {
            Ok(response) => Ok(response.into()),
            Err(error) => Err(Error::connection(server.host(), error)),
        }
    }
}
