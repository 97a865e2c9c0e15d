use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_secretsmanager::config::http::{HttpRequest, HttpResponse};
use aws_sdk_secretsmanager::config::{HttpClient, RuntimeComponents};
use aws_sdk_secretsmanager::error::{BoxError, ConnectorError};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use keystead_crypto::SystemRandom;
use keystead_observe::Metrics;
use keystead_rest::header::{self, HeaderName};
use keystead_rest::{
    Answer, Client, Error as RestError, Limits, Method, RequestBuilder, Transport,
};
use keystead_tls::ClientConfig;
use tokio::time::timeout;

/// The most bytes of an answer: a page of a list has 100 secrets with their tags.
const MAX_BODY: usize = 8 << 20;

/// Headers of an answer that the AWS crates look at.
const HEADERS: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::DATE,
    HeaderName::from_static("x-amzn-errortype"),
    HeaderName::from_static("x-amzn-requestid"),
    HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds"),
];

/// Carries the requests of the AWS crates over the connections and the TLS of this
/// project.
#[derive(Clone)]
pub(super) struct Http(Arc<Shared>);

struct Shared {
    tls: ClientConfig,
    limits: Limits,
    metrics: Arc<Metrics>,
    /// By origin: the service, and whoever gives credentials.
    transports: Mutex<HashMap<String, Arc<Transport>>>,
}

/// With the time-outs that one of the AWS crates wants.
#[derive(Debug)]
struct Connector {
    http: Http,
    settings: HttpConnectorSettings,
}

// === impl Http ===

impl Http {
    pub(super) fn new(tls: ClientConfig, limits: Limits, metrics: Arc<Metrics>) -> Self {
        Self(Arc::new(Shared {
            tls,
            limits,
            metrics,
            transports: Mutex::default(),
        }))
    }

    /// The connections to one origin.
    pub(super) fn transport(&self, origin: &str) -> Result<Arc<Transport>, RestError> {
        let Shared {
            tls,
            limits,
            metrics,
            transports,
        } = &*self.0;
        let mut transports = transports.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(transport) = transports.get(origin) {
            return Ok(Arc::clone(transport));
        }
        let random = Arc::new(SystemRandom);
        let transport =
            Transport::new(&[origin], tls.clone(), *limits, random, Arc::clone(metrics))?;
        let transport = Arc::new(transport);
        transports.insert(origin.to_owned(), Arc::clone(&transport));
        Ok(transport)
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let method: Method = request
            .method()
            .parse()
            .map_err(|error| ConnectorError::user(BoxError::from(error)))?;
        let transport = self
            .transport(origin(request.uri()))
            .map_err(|error| ConnectorError::user(error.into()))?;
        let answer = transport
            .once(|client, _| copy(client, &method, &request), MAX_BODY)
            .await
            .map_err(failure)?;
        response(answer).map_err(|error| ConnectorError::other(error, None))
    }
}

impl HttpClient for Http {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            http: self.clone(),
            settings: settings.clone(),
        })
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

// === impl Connector ===

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let http = self.http.clone();
        let limit = self.settings.read_timeout();
        HttpConnectorFuture::new(async move {
            let Some(limit) = limit else {
                return http.send(request).await;
            };
            let endpoint = origin(request.uri()).to_owned();
            timeout(limit, http.send(request))
                .await
                .unwrap_or_else(|_| Err(failure(RestError::TimedOut { endpoint, limit })))
        })
    }
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |colon| colon + 3);
    let end = url
        .get(host..)
        .and_then(|rest| rest.find(['/', '?', '#']))
        .map_or(url.len(), |end| host + end);
    url.get(..end).unwrap_or(url)
}

/// A request can be sent once only, and the AWS crates may want to send it again.
fn copy(client: &Client, method: &Method, request: &HttpRequest) -> RequestBuilder {
    let body = request.body().bytes().unwrap_or_default().to_vec();
    request.headers().iter().fold(
        client.request(method.clone(), request.uri()).body(body),
        |builder, (name, value)| builder.header(name, value),
    )
}

fn response(mut answer: Answer) -> Result<HttpResponse, BoxError> {
    let status = answer.status.as_u16().try_into()?;
    let body = std::mem::take(&mut *answer.body);
    let mut response = HttpResponse::new(status, body.into());
    for name in &HEADERS {
        if let Some(value) = answer.header(name) {
            response
                .headers_mut()
                .insert(name.as_str().to_owned(), value.to_owned());
        }
    }
    Ok(response)
}

/// The AWS crates try again what may pass.
fn failure(error: RestError) -> ConnectorError {
    match error {
        RestError::TimedOut { .. } => ConnectorError::timeout(error.into()),
        error if error.is_passing() => ConnectorError::io(error.into()),
        error => ConnectorError::other(error.into(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_ends_before_the_path() {
        for (url, expected) in [
            ("https://a.example", "https://a.example"),
            ("https://a.example:8443/b/c", "https://a.example:8443"),
            ("http://169.254.169.254?x=/", "http://169.254.169.254"),
            ("http://[::1]:80/", "http://[::1]:80"),
            ("/path", ""),
        ] {
            assert_eq!(origin(url), expected);
        }
    }
}
