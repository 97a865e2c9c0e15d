use std::sync::Arc;
use std::time::Duration;

use http::Method;
use keystead_config::kes::VaultConfig;
use keystead_crypto::{Random, Secret, SystemRandom};
use keystead_observe::Metrics;
use keystead_rest::{Answer, Client, Endpoint, Limits, StatusCode, Transport, header};
use keystead_tls::ClientConfig;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::{sleep, timeout};

use crate::Error;
use crate::reply::Reply;

/// The longest answer that is read, which is a list of all keys.
const MAX_BODY: usize = 32 << 20;

/// How often a request is sent at most.
const ATTEMPTS: u32 = 3;

/// The shortest pause between two attempts, and what is added to it at most.
const PAUSE: Duration = Duration::from_secs(1);
const JITTER_MILLIS: u32 = 500;

/// The longest pause a server can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long one attempt and a whole call may take: less than the KES API waits for a
/// key store, so that its answer can name the cause.
const LIMITS: Limits = Limits {
    attempt: Duration::from_secs(5),
    call: Duration::from_secs(12),
};

/// The one protocol that is offered. Requests are small and rare, and a server answers
/// them faster than over HTTP/2: the reads in docs/performance.md show by how much.
const HTTP_1_1: &[u8] = b"http/1.1";

/// Everything that does not mean itself in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

const NAMESPACE: &str = "X-Vault-Namespace";
const REQUEST: &str = "X-Vault-Request";
const TOKEN: &str = "X-Vault-Token";

/// One request of the HTTP API (key stores, section 4.1).
#[derive(Clone)]
pub(crate) struct Call<'c> {
    pub(crate) method: Method,
    /// What follows `/v1`; see [`path`].
    pub(crate) path: &'c str,
    pub(crate) namespace: Option<&'c str>,
    pub(crate) token: Option<&'c Secret>,
    /// JSON.
    pub(crate) body: Option<&'c [u8]>,
    /// Whether a failure that may pass is worth another attempt.
    pub(crate) patient: bool,
}

/// Requests and answers, without any notion of being logged in.
pub(crate) struct Api {
    transport: Transport,
    random: Arc<dyn Random>,
}

/// The path of some mounts, folders and names, each of which may have several
/// segments.
pub(crate) fn path(parts: &[&str]) -> String {
    let mut path = String::new();
    for segment in parts.iter().flat_map(|part| part.split('/')) {
        if !segment.is_empty() {
            path.push('/');
            path.extend(utf8_percent_encode(segment, SEGMENT));
        }
    }
    path
}

// === impl Api ===

impl Api {
    pub(crate) fn new(
        config: &VaultConfig,
        mut tls: ClientConfig,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        tls.alpn_protocols = vec![HTTP_1_1.to_vec()];
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let endpoints = [&config.endpoint];
        let transport = Transport::new(&endpoints, tls, LIMITS, Arc::clone(&random), metrics)?;
        Ok(Self { transport, random })
    }

    /// Sends a request until there is an answer that another attempt would not
    /// change.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Reply, Error> {
        timeout(LIMITS.call, self.attempts(call))
            .await
            .map_err(|_| keystead_rest::Error::Deadline(LIMITS.call))?
    }

    async fn attempts(&self, call: &Call<'_>) -> Result<Reply, Error> {
        let mut attempt = 1;
        let mut repeated = false;
        loop {
            let outcome = self.attempt(call).await;
            let last = !call.patient || attempt == ATTEMPTS;
            let pause = match &outcome {
                Ok(answer) => asked_pause(answer),
                Err(Error::Transport(error)) if error.is_passing() => Some(None),
                Err(_) => None,
            };
            match (outcome, pause) {
                (outcome, None) => return Ok(Reply::new(outcome?, repeated)),
                (outcome, Some(_)) if last => return Ok(Reply::new(outcome?, repeated)),
                (outcome, Some(pause)) => {
                    // A server that turned the request away did not carry it out.
                    repeated |= !matches!(
                        &outcome,
                        Ok(answer) if answer.status.is_client_error()
                    );
                    sleep(pause.unwrap_or_else(|| self.pause())).await;
                }
            }
            attempt += 1;
        }
    }

    /// One attempt, which may be redirected once: to the active node of a cluster.
    async fn attempt(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let path = ["/v1", call.path].concat();
        let answer = self.once(call, |endpoint| endpoint.url(&path)).await?;
        let Some(location) = redirection(&answer) else {
            return Ok(answer);
        };
        let here = self.transport.endpoints().first().map(ToString::to_string);
        let target = Endpoint::parse(location.split('?').next().unwrap_or_default())
            .map_err(|_| Error::Redirect(location.to_owned()))?;
        if here.is_some_and(|here| here.starts_with("https:"))
            && !target.to_string().starts_with("https:")
        {
            return Err(Error::Redirect(target.to_string()));
        }
        self.once(call, |_| location.to_owned()).await
    }

    async fn once(
        &self,
        call: &Call<'_>,
        url: impl Fn(&Endpoint) -> String,
    ) -> Result<Answer, Error> {
        let request = |client: &Client, endpoint: &Endpoint| {
            let mut request = client
                .request(call.method.clone(), url(endpoint))
                .header(REQUEST, "true");
            if let Some(namespace) = call.namespace {
                request = request.header(NAMESPACE, namespace);
            }
            if let Some(token) = call.token {
                request = request.header(TOKEN, token.expose());
            }
            if let Some(body) = call.body {
                request = request
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(body.to_vec());
            }
            request
        };
        Ok(self.transport.once(request, MAX_BODY).await?)
    }

    /// Random, so that servers do not return all at once.
    fn pause(&self) -> Duration {
        let mut bytes = [0; 4];
        let jitter = match self.random.fill(&mut bytes) {
            Ok(()) => u32::from_ne_bytes(bytes) % JITTER_MILLIS,
            Err(_) => 0,
        };
        PAUSE + Duration::from_millis(jitter.into())
    }
}

/// Whether an answer calls for another attempt, and the pause it asks for.
#[expect(
    clippy::option_option,
    reason = "no attempt, or one after a pause, or one"
)]
fn asked_pause(answer: &Answer) -> Option<Option<Duration>> {
    let status = answer.status;
    let again = match status {
        StatusCode::PRECONDITION_FAILED | StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::NOT_IMPLEMENTED => false,
        // Nobody unseals a server within a second or two.
        StatusCode::SERVICE_UNAVAILABLE => !is_sealed(answer),
        _ => status.is_server_error(),
    };
    let seconds = || answer.header(&header::RETRY_AFTER)?.parse().ok();
    again.then(|| seconds().map(|seconds| Duration::from_secs(seconds).min(LONGEST_PAUSE)))
}

fn is_sealed(answer: &Answer) -> bool {
    let text = b"Vault is sealed";
    answer.body.windows(text.len()).any(|part| part == text)
}

fn redirection(answer: &Answer) -> Option<&str> {
    matches!(
        answer.status,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::TEMPORARY_REDIRECT
    )
    .then(|| answer.header(&header::LOCATION))?
}
