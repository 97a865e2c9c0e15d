use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use keystead_crypto::Random;
use keystead_observe::Metrics;
use keystead_tls::ClientConfig;
use reqwest::header::{self, HeaderMap, HeaderName};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use tokio::time::{Instant, sleep, timeout};
use zeroize::Zeroizing;

use crate::retry::{Attempt, Attempts, Verdict, pause};
use crate::{Endpoint, Error};

/// How long an unused connection stays open. Short, because servers and firewalls
/// drop idle connections without a word.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// The most unused connections to one server.
const MAX_IDLE: usize = 32;

const USER_AGENT: &str = concat!("keystead/", env!("CARGO_PKG_VERSION"));

/// How long a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// One attempt at one endpoint, from connecting to the end of the answer.
    pub attempt: Duration,
    /// All attempts with the pauses between them.
    pub call: Duration,
}

/// A complete answer of a server.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    headers: HeaderMap,
    /// The body, which may hold a secret.
    pub body: Zeroizing<Vec<u8>>,
}

/// Sends requests to one of several equal servers.
///
/// The server that answered last is asked first the next time.
pub struct Transport {
    endpoints: Vec<Endpoint>,
    preferred: AtomicUsize,
    client: ArcSwap<Client>,
    tls: ClientConfig,
    limits: Limits,
    /// Without a proxy.
    direct: bool,
    random: Arc<dyn Random>,
    metrics: Arc<Metrics>,
}

// === impl Limits ===

impl Default for Limits {
    /// 5 seconds and 15, as long as the KES API waits for a key store.
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(5),
            call: Duration::from_secs(15),
        }
    }
}

// === impl Answer ===

impl Answer {
    /// The value of a header, if it is text.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the body says of itself that it is JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.header(&header::CONTENT_TYPE)
            .is_some_and(|value| value.starts_with("application/json"))
    }
}

// === impl Transport ===

impl Transport {
    /// A transport to equal endpoints, the preferred one first. The proxies of the
    /// environment are honoured, unless an endpoint is on this machine; redirects are
    /// not followed. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// [`Error::NoEndpoint`], [`Error::Endpoint`] and [`Error::Setup`].
    pub fn new(
        endpoints: &[impl AsRef<str>],
        tls: ClientConfig,
        limits: Limits,
        random: Arc<dyn Random>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        let endpoints = endpoints
            .iter()
            .map(|endpoint| Endpoint::parse(endpoint.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        if endpoints.is_empty() {
            return Err(Error::NoEndpoint);
        }
        let direct = endpoints.iter().any(Endpoint::is_local);
        Ok(Self {
            endpoints,
            preferred: AtomicUsize::new(0),
            client: ArcSwap::from_pointee(client(tls.clone(), limits, direct)?),
            tls,
            limits,
            direct,
            random,
            metrics,
        })
    }

    /// Where requests go, in the order given.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Sends what `request` makes for an endpoint until one answers with a status
    /// below 500 (key stores, section 1.5).
    ///
    /// Each endpoint is tried at most three times. Between rounds over all of them
    /// is a random pause. If the last attempt was answered with 500 or above, that
    /// is the answer.
    ///
    /// # Errors
    ///
    /// [`Error::Connection`], [`Error::TimedOut`] or [`Error::TooLong`] of the last
    /// attempt, [`Error::Deadline`] if there was no time for it.
    pub async fn send(
        &self,
        request: impl Fn(&Client, &Endpoint) -> RequestBuilder,
        max_body: usize,
    ) -> Result<Answer, Error> {
        timeout(self.limits.call, self.attempts(request, max_body))
            .await
            .unwrap_or(Err(Error::Deadline(self.limits.call)))
    }

    /// Sends what `request` makes for the preferred endpoint once, for clients that
    /// have a rule of their own for when to try again.
    ///
    /// # Errors
    ///
    /// [`Error::Connection`], [`Error::TimedOut`] and [`Error::TooLong`].
    pub async fn once(
        &self,
        request: impl Fn(&Client, &Endpoint) -> RequestBuilder,
        max_body: usize,
    ) -> Result<Answer, Error> {
        let preferred = self.preferred.load(Ordering::Relaxed);
        let endpoint = self.endpoints.get(preferred).ok_or(Error::NoEndpoint)?;
        self.attempt(&request, endpoint, max_body).await
    }

    async fn attempts(
        &self,
        request: impl Fn(&Client, &Endpoint) -> RequestBuilder,
        max_body: usize,
    ) -> Result<Answer, Error> {
        let first = self.preferred.load(Ordering::Relaxed);
        let mut attempts = Attempts::new(self.endpoints.len(), first);
        let mut outcome = Err(Error::NoEndpoint);
        while let Some(Attempt { endpoint, again }) = attempts.next() {
            if again {
                sleep(pause(&*self.random)).await;
            }
            let Some(target) = self.endpoints.get(endpoint) else {
                break;
            };
            outcome = self.attempt(&request, target, max_body).await;
            let verdict = verdict(&outcome);
            attempts.note(verdict);
            self.prefer(endpoint, verdict);
        }
        outcome
    }

    /// Takes note of what became of an attempt, so that calls that begin from now on
    /// need not find out the same.
    fn prefer(&self, index: usize, verdict: Verdict) {
        if verdict == Verdict::Settled {
            self.preferred.store(index, Ordering::Relaxed);
        } else {
            let next = index.wrapping_add(1) % self.endpoints.len();
            let order = Ordering::Relaxed;
            // Otherwise another call has been faster.
            self.preferred
                .compare_exchange(index, next, order, order)
                .ok();
        }
    }

    async fn attempt(
        &self,
        request: &impl Fn(&Client, &Endpoint) -> RequestBuilder,
        endpoint: &Endpoint,
        max_body: usize,
    ) -> Result<Answer, Error> {
        let client = self.client.load_full();
        let limit = self.limits.attempt;
        let start = Instant::now();
        let exchange = async {
            let broken = |cause: reqwest::Error| Error::Connection {
                endpoint: endpoint.to_string(),
                cause: cause.without_url(),
            };
            let response = request(&client, endpoint).send().await.map_err(broken)?;
            read(response, max_body)
                .await
                .map_err(broken)?
                .ok_or_else(|| Error::TooLong {
                    endpoint: endpoint.to_string(),
                    limit: max_body,
                })
        };
        let outcome = timeout(limit, exchange).await.unwrap_or_else(|_| {
            Err(Error::TimedOut {
                endpoint: endpoint.to_string(),
                limit,
            })
        });
        let failed = verdict(&outcome) != Verdict::Settled;
        self.metrics.remote().request(start.elapsed(), failed);
        if outcome.is_err() {
            self.renew_connections(&client);
        }
        outcome
    }

    /// Leaves all pooled connections to the requests that use them.
    fn renew_connections(&self, used: &Arc<Client>) {
        // Another call that failed may have been faster; if there is no new client,
        // the old one is as good as before.
        if Arc::ptr_eq(used, &self.client.load())
            && let Ok(fresh) = client(self.tls.clone(), self.limits, self.direct)
        {
            self.client.store(Arc::new(fresh));
        }
    }
}

fn verdict(outcome: &Result<Answer, Error>) -> Verdict {
    match outcome {
        Ok(answer) if answer.status.is_server_error() => Verdict::Passing,
        Ok(_) => Verdict::Settled,
        Err(error) if error.is_passing() => Verdict::Passing,
        Err(_) => Verdict::Lasting,
    }
}

fn client(tls: ClientConfig, limits: Limits, direct: bool) -> Result<Client, Error> {
    let builder = Client::builder();
    let builder = if direct { builder.no_proxy() } else { builder };
    builder
        .tls_backend_preconfigured(tls)
        .connect_timeout(limits.attempt)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(MAX_IDLE)
        .redirect(Policy::none())
        .user_agent(USER_AGENT)
        .build()
        .map_err(Error::Setup)
}

/// The whole answer, or `None` if its body is longer than `max_body`.
async fn read(mut response: Response, max_body: usize) -> reqwest::Result<Option<Answer>> {
    // A body that grows leaves copies of itself behind.
    let announced = response
        .content_length()
        .and_then(|length| usize::try_from(length).ok());
    let capacity = announced.unwrap_or_default().min(max_body);
    let mut body = Zeroizing::new(Vec::with_capacity(capacity));
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > max_body {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(Answer {
        status: response.status(),
        headers: std::mem::take(response.headers_mut()),
        body,
    }))
}
