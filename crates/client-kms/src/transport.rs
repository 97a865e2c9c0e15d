use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, Response, StatusCode};
use keystead_tls::ClientConfig;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Body, Client as Pool, ClientBuilder};

use crate::Error;
use crate::endpoint::Endpoint;

/// Time to connect: 30 seconds to reach the server and 10 for the TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(40);

/// TCP keep-alive.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// How often a connection in use is checked, for log streams that are silent for long.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// Time for the answer to such a check.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// How long an unused connection stays open.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// The most unused connections to one server.
const MAX_IDLE: usize = 50;

/// The most redirections of one request.
const MAX_HOPS: usize = 10;

const USER_AGENT: &str = concat!("keystead/", env!("CARGO_PKG_VERSION"));

/// The connections to all servers.
pub(crate) struct Transport {
    /// To this machine, without a proxy whatever the environment says.
    local: Pool,
    remote: Pool,
}

/// Why there is no answer.
pub(crate) struct Failure {
    pub(crate) error: Error,
    /// The server cannot have seen the request.
    pub(crate) before_sending: bool,
}

// === impl Transport ===

impl Transport {
    /// Connections with this TLS, through the proxies of the environment.
    pub(crate) fn new(tls: ClientConfig) -> Result<Self, Error> {
        Self::build(tls, |builder| builder)
    }

    /// Connections that no proxy of the environment disturbs.
    #[cfg(test)]
    pub(crate) fn without_proxy(tls: ClientConfig) -> Result<Self, Error> {
        Self::build(tls, ClientBuilder::no_proxy)
    }

    fn build(
        tls: ClientConfig,
        remote: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, Error> {
        let builder = |tls: ClientConfig| {
            Pool::builder()
                .tls_backend_preconfigured(tls)
                .https_only(true)
                .redirect(Policy::custom(redirection))
                .connect_timeout(CONNECT_TIMEOUT)
                .tcp_keepalive(KEEP_ALIVE)
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
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Body,
    ) -> Result<Response<Body>, Failure> {
        let pool = if server.is_local() {
            &self.local
        } else {
            &self.remote
        };
        let request = pool.request(method, server.url(path));
        match request.headers(headers).body(body).send().await {
            Ok(response) => Ok(response.into()),
            Err(error) => Err(Failure {
                before_sending: error.is_connect(),
                error: Error::connection(server.host(), error),
            }),
        }
    }
}

/// Follows what keeps method and body; everything else is an answer like any other.
fn redirection(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let keeps_body = matches!(
        attempt.status(),
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
    );
    if keeps_body && attempt.previous().len() <= MAX_HOPS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}
