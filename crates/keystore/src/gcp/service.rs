//! Google's client over the transport of this project.
//!
//! Left to itself the client would open connections with TLS settings, proxies and
//! deadlines of its own, and take answers of any length. It lets its transport be
//! replaced; this is the replacement for the five requests that a key store needs.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use google_cloud_gax::error::rpc::Status;
use google_cloud_gax::options::RequestOptions;
use google_cloud_gax::response::Response;
use google_cloud_secretmanager_v1::model::{
    AccessSecretVersionRequest, AccessSecretVersionResponse, AddSecretVersionRequest,
    CreateSecretRequest, DeleteSecretRequest, ListSecretsRequest, ListSecretsResponse, Secret,
    SecretPayload, SecretVersion,
};
use google_cloud_secretmanager_v1::{Error, Result, stub};
use http::HeaderMap;
use keystead_rest::{
    Answer, Error as RestError, Method, StatusCode, Transport, header, presentable,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::login::Login;

/// The longest answer about one secret: 64 KiB of data in base64, labels and notes.
const MAX_ANSWER: usize = 256 * 1024;

/// The longest page of a list, for a thousand secrets with 16 KiB of notes each.
const MAX_PAGE: usize = 20 * 1024 * 1024;

/// What is escaped in a part of a path; ids of old projects have a colon.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':');

/// Carries requests to Secret Manager.
pub(super) struct Service {
    transport: Arc<Transport>,
    login: Login,
    limit: Duration,
}

/// One request.
struct Call<'c> {
    method: Method,
    /// Path and query.
    path: String,
    body: Option<Zeroizing<String>>,
    /// Whether it may be sent again without being known to have failed.
    repeatable: bool,
    max_answer: usize,
    /// What an error must not repeat.
    secret: &'c str,
}

/// The part of an answer that holds a value.
#[derive(Deserialize)]
struct Accessed<'a> {
    #[serde(borrow, default)]
    payload: Payload<'a>,
}

#[derive(Default, Deserialize)]
struct Payload<'a> {
    #[serde(borrow, default)]
    data: Cow<'a, str>,
}

/// A part of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

// === impl Service ===

impl Service {
    /// `limit` is for a whole call, the login included.
    pub(super) fn new(transport: Arc<Transport>, login: Login, limit: Duration) -> Self {
        Self {
            transport,
            login,
            limit,
        }
    }

    async fn call(&self, call: Call<'_>) -> Result<Answer> {
        timeout(self.limit, self.attempts(&call))
            .await
            .unwrap_or_else(|_| Err(Error::io(RestError::Deadline(self.limit))))
    }

    /// Asks once more if the token is not accepted: the first time nothing was done.
    async fn attempts(&self, call: &Call<'_>) -> Result<Answer> {
        let (session, headers) = self.login.headers().await.map_err(Error::authentication)?;
        let answer = self.send(call, &headers).await?;
        if answer.status != StatusCode::UNAUTHORIZED || !self.login.rejected(&session) {
            return accept(answer, call, &headers);
        }
        let (_, headers) = self.login.headers().await.map_err(Error::authentication)?;
        let answer = self.send(call, &headers).await?;
        accept(answer, call, &headers)
    }

    async fn send(&self, call: &Call<'_>, headers: &HeaderMap) -> Result<Answer> {
        let request = |client: &keystead_rest::Client, endpoint: &keystead_rest::Endpoint| {
            let url = endpoint.url(&call.path);
            let request = client.request(call.method.clone(), url);
            let request = request.headers(headers.clone());
            match &call.body {
                Some(body) => request
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(body.as_bytes().to_vec()),
                None => request,
            }
        };
        let answer = if call.repeatable {
            self.transport.send(request, call.max_answer).await
        } else {
            self.transport.once(request, call.max_answer).await
        };
        answer.map_err(Error::io)
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

impl stub::SecretManagerService for Service {
    async fn list_secrets(
        &self,
        request: ListSecretsRequest,
        _: RequestOptions,
    ) -> Result<Response<ListSecretsResponse>> {
        let path = format!(
            "/v1/{}/secrets?pageSize={}&pageToken={}",
            request.parent,
            request.page_size,
            segment(&request.page_token)
        );
        let call = Call {
            max_answer: MAX_PAGE,
            ..Call::new(Method::GET, path)
        };
        decode(&self.call(call).await?)
    }

    /// Sent only once: the second answer, that it exists, would say nothing about whose
    /// it is.
    async fn create_secret(
        &self,
        request: CreateSecretRequest,
        _: RequestOptions,
    ) -> Result<Response<Secret>> {
        let id = segment(&request.secret_id);
        let path = format!("/v1/{}/secrets?secretId={id}", request.parent);
        let secret = request.secret.unwrap_or_default();
        let body = serde_json::to_string(&secret).map_err(Error::ser)?;
        let call = Call {
            body: Some(Zeroizing::new(body)),
            repeatable: false,
            ..Call::new(Method::POST, path)
        };
        decode(&self.call(call).await?)
    }

    async fn add_secret_version(
        &self,
        request: AddSecretVersionRequest,
        _: RequestOptions,
    ) -> Result<Response<SecretVersion>> {
        let data = request.payload.unwrap_or_default().data;
        let data = Zeroizing::new(STANDARD.encode(&data));
        let body = format!(r#"{{"payload":{{"data":"{}"}}}}"#, *data);
        let call = Call {
            body: Some(Zeroizing::new(body)),
            secret: &data,
            ..Call::new(Method::POST, format!("/v1/{}:addVersion", request.parent))
        };
        decode(&self.call(call).await?)
    }

    async fn access_secret_version(
        &self,
        request: AccessSecretVersionRequest,
        _: RequestOptions,
    ) -> Result<Response<AccessSecretVersionResponse>> {
        let call = Call::new(Method::GET, format!("/v1/{}:access", request.name));
        let answer = self.call(call).await?;
        // Not by the client's own types, which would leave copies of the value behind.
        let accessed: Accessed<'_> = serde_json::from_slice(&answer.body).map_err(unreadable)?;
        let text = Zeroizing::new(accessed.payload.data.into_owned());
        let data = STANDARD.decode(text.as_bytes()).map_err(unreadable)?;
        let data = Bytes::from_owner(Zeroizing::new(data));
        let payload = SecretPayload::new().set_data(data);
        let response = AccessSecretVersionResponse::new().set_payload(payload);
        Ok(Response::from(response))
    }

    async fn delete_secret(
        &self,
        request: DeleteSecretRequest,
        _: RequestOptions,
    ) -> Result<Response<()>> {
        let mut path = format!("/v1/{}", request.name);
        if !request.etag.is_empty() {
            path.push_str("?etag=");
            path.push_str(&segment(&request.etag));
        }
        self.call(Call::new(Method::DELETE, path)).await?;
        Ok(Response::from(()))
    }
}

// === impl Call ===

impl Call<'_> {
    fn new(method: Method, path: String) -> Self {
        Self {
            method,
            path,
            body: None,
            repeatable: true,
            max_answer: MAX_ANSWER,
            secret: "",
        }
    }
}

/// Tells an answer from a refusal.
fn accept(answer: Answer, call: &Call<'_>, headers: &HeaderMap) -> Result<Answer> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let code = answer.status.as_u16();
    let body = Bytes::copy_from_slice(&answer.body);
    let Ok(status) = Status::try_from(&body) else {
        return Err(Error::http(code, HeaderMap::new(), Bytes::new()));
    };
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.split_once(' '))
        .map_or("", |(_, token)| token);
    let message = presentable(&status.message, &[token, call.secret]);
    let status = Status::default().set_code(status.code).set_message(message);
    Err(Error::service_with_http_metadata(status, Some(code), None))
}

fn decode<T: DeserializeOwned>(answer: &Answer) -> Result<Response<T>> {
    let document = serde_json::from_slice(&answer.body).map_err(unreadable)?;
    Ok(Response::from(document))
}

/// Not with the cause, which may quote the answer.
fn unreadable(_: impl std::error::Error) -> Error {
    Error::deser("it is not the JSON of a secret")
}
