use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::Bytes;
use azure_core::http::headers::Headers;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{AsyncRawResponse, Body, Context, Method, Request, StatusCode, Url};
use azure_core::time::{OffsetDateTime, parse_rfc7231};
use keystead_crypto::{Random, SystemRandom};
use keystead_observe::Metrics;
use keystead_rest::{Answer, Client, Limits, RequestBuilder, Transport, header};
use keystead_tls::ClientConfig;
use tokio::time::sleep;
use zeroize::Zeroizing;

use super::AzureError;
use super::budget::Budget;

/// How often a request is made (key stores, section 8).
const ATTEMPTS: usize = 8;

/// The shortest pause before a request is made again.
const PAUSE: Duration = Duration::from_millis(200);

/// What is added to the pause at most.
const JITTER_MILLIS: u32 = 600;

/// The most bytes of an answer. A secret has at most 25 KiB, a page 25 entries.
const MAX_BODY: usize = 1 << 20;

/// Where the instance metadata service of a machine in Azure is.
const METADATA: &str = "http://169.254.169.254";

/// Headers of an answer that the Azure crates look at, and the date.
const HEADERS: [header::HeaderName; 3] =
    [header::CONTENT_TYPE, header::DATE, header::WWW_AUTHENTICATE];

/// Whom a transport talks to.
pub(super) enum Peer {
    /// The vault at this origin and nobody else.
    Vault(String),
    /// Whoever gives tokens.
    TokenServices {
        /// The origin that stands in for the instance metadata service.
        metadata: Option<String>,
    },
}

/// Carries the requests of the Azure crates over the connections and the TLS of this
/// project, and makes them again by our rule; the crates have theirs turned off.
pub(super) struct Wire {
    peer: Peer,
    tls: ClientConfig,
    limits: Limits,
    metrics: Arc<Metrics>,
    /// By origin: a vault, an authority, the metadata service.
    transports: Mutex<HashMap<String, Arc<Transport>>>,
}

// === impl Wire ===

impl Wire {
    pub(super) fn new(
        peer: Peer,
        tls: ClientConfig,
        limits: Limits,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            peer,
            tls,
            limits,
            metrics,
            transports: Mutex::default(),
        }
    }

    /// The connections to one origin.
    pub(super) fn transport(&self, origin: &str) -> Result<Arc<Transport>, AzureError> {
        let mut transports = self
            .transports
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(transport) = transports.get(origin) {
            return Ok(Arc::clone(transport));
        }
        let transport = Transport::new(
            &[origin],
            self.tls.clone(),
            self.limits,
            Arc::new(SystemRandom),
            Arc::clone(&self.metrics),
        );
        let transport = Arc::new(transport.map_err(|error| AzureError::Endpoint(Arc::new(error)))?);
        transports.insert(origin.to_owned(), Arc::clone(&transport));
        Ok(transport)
    }

    /// Where a request goes.
    fn target(&self, url: &Url) -> Result<(String, Url), AzureError> {
        let origin = url.origin().ascii_serialization();
        match &self.peer {
            Peer::Vault(vault) if *vault != origin => Err(AzureError::Elsewhere(origin)),
            Peer::TokenServices {
                metadata: Some(stand_in),
            } if origin == METADATA => {
                let moved = url.as_str().replacen(METADATA, stand_in, 1);
                let moved = moved.parse().map_err(|_| AzureError::Elsewhere(moved))?;
                Ok((stand_in.clone(), moved))
            }
            _ => Ok((origin, url.clone())),
        }
    }

    async fn attempts(
        &self,
        request: &Request,
        budget: Option<&Budget>,
    ) -> Result<Answer, AzureError> {
        let (origin, url) = self.target(request.url())?;
        let transport = self.transport(&origin)?;
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let outcome = transport
                .once(|client, _| copy(client, &url, request), MAX_BODY)
                .await;
            let pause = match &outcome {
                Ok(answer) => self.pause_after(answer, request),
                Err(error) if error.is_passing() && is_repeatable(request) => Some(pause()),
                Err(_) => None,
            };
            let outcome = outcome.map_err(|error| AzureError::Connection(Arc::new(error)));
            let Some(pause) = pause.filter(|_| left > 0) else {
                return outcome;
            };
            if let Some(budget) = budget {
                if !budget.allows(pause) {
                    return outcome;
                }
                budget.note(match &outcome {
                    Ok(answer) => self.failure(answer, request),
                    Err(error) => error.clone(),
                });
            }
            sleep(pause).await;
        }
    }

    /// How long to wait before the request is made again, if that may help.
    fn pause_after(&self, answer: &Answer, request: &Request) -> Option<Duration> {
        let again = match (answer.status.as_u16(), &self.peer) {
            // It was not carried out.
            (429, _) => true,
            (408 | 500 | 502..=504, _) => is_repeatable(request),
            // The metadata service is being brought up to date.
            (404 | 410, Peer::TokenServices { .. }) => request.method() == Method::Get,
            _ => false,
        };
        again.then(|| pause().max(retry_after(answer).unwrap_or_default()))
    }

    /// The error that an answer stands for, without what it repeats of the request.
    fn failure(&self, answer: &Answer, request: &Request) -> AzureError {
        let secrets = secrets(request);
        let secrets: Vec<&str> = secrets.iter().map(|secret| secret.as_str()).collect();
        let status = answer.status.as_u16();
        match self.peer {
            Peer::Vault(_) => AzureError::refused(status, &answer.body, &secrets),
            Peer::TokenServices { .. } => AzureError::no_token(status, &answer.body, &secrets),
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

#[async_trait]
impl Policy for Wire {
    async fn send(
        &self,
        context: &Context,
        request: &mut Request,
        _: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let budget = context.value::<Arc<Budget>>().map(AsRef::as_ref);
        let answer = self.attempts(request, budget).await?;
        // The crates lose the text of a token service that has line breaks, and its status
        // with it. A vault that wants a token is theirs to satisfy.
        let is_challenge = answer.status.as_u16() == 401 && matches!(self.peer, Peer::Vault(_));
        if !answer.status.is_success() && !is_challenge {
            return Err(self.failure(&answer, request).into());
        }
        let mut headers = Headers::new();
        for name in &HEADERS {
            if let Some(value) = answer.header(name) {
                headers.insert(name.as_str().to_owned(), value.to_owned());
            }
        }
        let body = if is_challenge {
            Bytes::from(without_secrets(&answer, request))
        } else {
            // It is wiped when the last reference goes.
            Bytes::from_owner(answer.body)
        };
        let status = StatusCode::from(answer.status.as_u16());
        Ok(AsyncRawResponse::from_bytes(status, headers, body))
    }
}

/// A request of the Azure crates as one of ours.
fn copy(client: &Client, url: &Url, request: &Request) -> RequestBuilder {
    let url = url.as_str();
    let builder = match request.method() {
        Method::Delete => client.delete(url),
        Method::Head => client.head(url),
        Method::Patch => client.patch(url),
        Method::Post => client.post(url),
        Method::Put => client.put(url),
        _ => client.get(url),
    };
    let builder = request
        .headers()
        .iter()
        .fold(builder, |builder, (name, value)| {
            builder.header(name.as_str(), value.as_str())
        });
    match request.body() {
        Body::Bytes(bytes) => builder.body(bytes.clone()),
        // Secrets are not sent as streams.
        Body::SeekableStream(_) => builder,
    }
}

/// Whether it does no harm to carry a request out twice. Writing a secret twice makes two
/// versions, so the store itself decides about that.
fn is_repeatable(request: &Request) -> bool {
    request.method() != Method::Put
}

/// The body of an answer, without what it repeats of the request.
fn without_secrets(answer: &Answer, request: &Request) -> String {
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    secrets(request)
        .iter()
        .fold(body, |body, secret| body.replace(secret.as_str(), "***"))
}

/// What a request has that must not be shown: its token, the value of a secret, the
/// credentials of a login.
fn secrets(request: &Request) -> Vec<Zeroizing<String>> {
    let mut secrets = Vec::new();
    for (name, value) in request.headers().iter() {
        let value = value.as_str();
        match name.as_str() {
            "authorization" => secrets.push(value.strip_prefix("Bearer ").unwrap_or(value)),
            "x-identity-header" => secrets.push(value),
            _ => {}
        }
    }
    let mut secrets: Vec<Zeroizing<String>> = secrets
        .into_iter()
        .map(|secret| Zeroizing::new(secret.to_owned()))
        .collect();
    if let Body::Bytes(body) = request.body() {
        if let Ok(serde_json::Value::Object(mut document)) = serde_json::from_slice(body)
            && let Some(serde_json::Value::String(value)) = document.remove("value")
        {
            secrets.push(Zeroizing::new(value));
        }
        let form = Zeroizing::new(format!("form:?{}", String::from_utf8_lossy(body)));
        if let Ok(form) = form.parse::<Url>() {
            secrets.extend(
                form.query_pairs()
                    .filter(|(key, _)| matches!(&**key, "client_secret" | "client_assertion"))
                    .map(|(_, value)| Zeroizing::new(value.into_owned())),
            );
        }
    }
    secrets.retain(|secret| !secret.is_empty());
    secrets
}

/// What the answer asks to wait, in seconds or until a date.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let text = answer.header(&header::RETRY_AFTER)?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let pause = parse_rfc7231(text).ok()? - OffsetDateTime::now_utc();
    pause.try_into().ok()
}

/// How long to wait before another attempt. Without randomness only fairness is lost.
pub(super) fn pause() -> Duration {
    let mut bytes = [0; 4];
    let jitter = match SystemRandom.fill(&mut bytes) {
        Ok(()) => u32::from_ne_bytes(bytes) % JITTER_MILLIS,
        Err(_) => 0,
    };
    PAUSE + Duration::from_millis(jitter.into())
}
