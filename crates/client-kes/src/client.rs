use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use keystead_crypto::{Random, SystemRandom};
use keystead_tls::ClientConfig;
use keystead_wire_kes::{ApiError, CONTENT_TYPE_NDJSON};
use reqwest::Body;
use tokio::time::Instant;

use crate::Error;
use crate::balance::Balancer;
use crate::endpoint::Endpoint;
use crate::retry::retry;
use crate::transport::Transport;

/// The largest document that is read, in bytes.
const MAX_DOCUMENT: usize = 1 << 20;

/// The largest listing of a server up to 2023-10-03, which knew no pages.
const MAX_LINES: usize = 1 << 26;

/// A client of one KES server, or of several that share a key store.
///
/// Clones share their connections. Every method gives up only after the attempts that
/// KES protocol, section 9, describes; wrap the call into a time-out for less.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    urls: Vec<String>,
    servers: Vec<Endpoint>,
    balancer: Balancer,
    transport: Transport,
    random: Arc<dyn Random>,
}

/// A response with the server that sent it.
pub(crate) struct Answer {
    pub(crate) host: String,
    pub(crate) response: Response<Body>,
}

// === impl Client ===

impl Client {
    /// A client for the servers at `endpoints`, URLs of scheme, host and port.
    ///
    /// `tls` says who the client is and whom it trusts. The variables `HTTPS_PROXY`
    /// and `NO_PROXY` are honoured, except for servers on this machine. Nothing is
    /// connected yet.
    ///
    /// # Errors
    ///
    /// [`Error::Endpoint`] for something that is no such URL, [`Error::NoEndpoint`] if
    /// there is none, [`Error::Setup`].
    pub fn new(
        endpoints: impl IntoIterator<Item = impl AsRef<str>>,
        tls: ClientConfig,
    ) -> Result<Self, Error> {
        Self::with_transport(endpoints, Transport::new(tls)?, Arc::new(SystemRandom))
    }

    /// A client that reaches its servers through `transport`.
    pub(crate) fn with_transport(
        endpoints: impl IntoIterator<Item = impl AsRef<str>>,
        transport: Transport,
        random: Arc<dyn Random>,
    ) -> Result<Self, Error> {
        let servers = endpoints
            .into_iter()
            .map(|endpoint| Endpoint::parse(endpoint.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        if servers.is_empty() {
            return Err(Error::NoEndpoint);
        }
        // Without randomness all clients begin with the first server.
        let mut start = [0; size_of::<usize>()];
        let start = match random.fill(&mut start) {
            Ok(()) => usize::from_ne_bytes(start),
            Err(_) => 0,
        };
        Ok(Self(Arc::new(Shared {
            urls: servers
                .iter()
                .map(|server| server.url().to_owned())
                .collect(),
            balancer: Balancer::new(servers.iter().map(Endpoint::is_local).collect(), start),
            servers,
            transport,
            random,
        })))
    }

    /// The URLs of the servers, in the order given.
    #[must_use]
    pub fn endpoints(&self) -> &[String] {
        &self.0.urls
    }

    /// Sends a request until a server answers with success.
    ///
    /// Servers that cannot be reached or answer with an error of their own, 501
    /// excepted, are passed over; if they all do, the last one's answer counts.
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Answer, Error> {
        let mut outcome = Err(Error::NoEndpoint);
        for index in self.0.balancer.order(Instant::now()) {
            let Some(server) = self.0.servers.get(index) else {
                continue;
            };
            let response = retry(&*self.0.random, || {
                self.0.transport.send(server, &method, path, &body)
            })
            .await;
            let failed = response
                .as_ref()
                .map_or(true, |response| is_server_failure(response.status()));
            self.0.balancer.report(index, failed, Instant::now());
            outcome = response.map(|response| Answer {
                host: server.host().to_owned(),
                response,
            });
            if !failed {
                break;
            }
        }
        outcome?.success().await
    }
}

fn is_server_failure(status: StatusCode) -> bool {
    status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED
}

// === impl Answer ===

impl Answer {
    /// The value of the `Content-Type` header.
    pub(crate) fn content_type(&self) -> Option<&str> {
        self.response
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
    }

    /// Reads the body to its end.
    pub(crate) async fn body(self) -> Result<Bytes, Error> {
        let limit = match self.content_type() {
            Some(CONTENT_TYPE_NDJSON) => MAX_LINES,
            _ => MAX_DOCUMENT,
        };
        match Limited::new(self.response.into_body(), limit)
            .collect()
            .await
        {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) => Err(Error::connection(&self.host, error)),
        }
    }

    /// Turns everything but status 200 into an error.
    async fn success(self) -> Result<Self, Error> {
        let status = self.response.status();
        if status == StatusCode::OK {
            return Ok(self);
        }
        if !status.is_client_error() && !status.is_server_error() {
            return Err(Error::Status(status));
        }
        let content_type = self.content_type().map(str::to_owned);
        let body = self.body().await?;
        Err(ApiError::decode(status, content_type.as_deref(), &body).into())
    }
}
