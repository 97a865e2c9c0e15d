use std::sync::{PoisonError, RwLock};

use keystead_config::SecretSource;
use keystead_crypto::Secret;
use keystead_rest::header::HeaderValue;
use keystead_rest::{Answer, Call, Error as RestError, Limits, Method, StatusCode, Transport};
use serde::Deserialize;
use tokio::time::timeout;

use crate::remote::{RemoteError, authorization, decode, reach, read};

/// The most bytes of an answer, which may be a page of a list.
const MAX_ANSWER: usize = 10 << 20;

/// What to do about an API key that is not accepted.
const UNKNOWN: &str = " (check 'credentials.key': the API key of the app, as the console shows it)";

/// What to do about a missing right.
const FORBIDDEN: &str = " (the app lacks a right in the group of the keys)";

/// Calls with the API key.
pub(super) struct Api {
    transport: Transport,
    limits: Limits,
    source: SecretSource,
    /// The key as it was read last.
    key: RwLock<Secret>,
}

/// What is asked for.
pub(super) struct Request<'r> {
    pub(super) method: Method,
    pub(super) path: &'r str,
    pub(super) body: Option<&'r [u8]>,
    /// What errors must not show of the body.
    pub(super) secret: &'r str,
}

/// An answer, and what must not be shown of it.
pub(super) struct Reply {
    answer: Answer,
    key: Secret,
    secret: Secret,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

#[derive(Deserialize)]
struct Session {
    access_token: String,
}

// === impl Request ===

impl<'r> Request<'r> {
    pub(super) fn new(method: Method, path: &'r str) -> Self {
        Self {
            method,
            path,
            body: None,
            secret: "",
        }
    }
}

// === impl Api ===

impl Api {
    pub(super) async fn new(
        transport: Transport,
        limits: Limits,
        source: &SecretSource,
    ) -> Result<Self, RemoteError> {
        Ok(Self {
            transport,
            limits,
            source: source.clone(),
            key: RwLock::new(read(source).await?),
        })
    }

    /// Looks whether the service is well, and begins and ends a session, which shows
    /// whether it accepts the key.
    pub(super) async fn log_in_and_out(&self) -> Result<(), RemoteError> {
        let health = Request::new(Method::GET, "/sys/v1/health");
        let reply = self.attempt(&health, None, &self.key()).await?;
        reply.expect(StatusCode::NO_CONTENT)?;

        let begin = Request::new(Method::POST, "/sys/v1/session/auth");
        let answer = self.send(&begin).await?.expect(StatusCode::OK)?;
        let token = Secret::new(decode::<Session>(&answer)?.access_token);
        let bearer = authorization("Bearer", &token)
            .ok_or(RemoteError::Other("the token of the session is not a text"))?;
        let end = Request::new(Method::POST, "/sys/v1/session/terminate");
        let reply = self.attempt(&end, Some(&bearer), &token).await?;
        reply.expect(StatusCode::NO_CONTENT)?;
        Ok(())
    }

    /// Whether the service answers.
    pub(super) async fn reach(&self) -> Result<(), RemoteError> {
        reach(&self.transport).await
    }

    /// Any answer. If the key is not accepted and its file has another one by now, the
    /// answer to that.
    pub(super) async fn send(&self, request: &Request<'_>) -> Result<Reply, RemoteError> {
        let both = async {
            let key = self.key();
            let reply = self.attempt_with(request, &key).await?;
            if reply.answer.status != StatusCode::UNAUTHORIZED {
                return Ok(reply);
            }
            let newer = read(&self.source).await?;
            if newer == key {
                return Ok(reply);
            }
            let reply = self.attempt_with(request, &newer).await?;
            if reply.answer.status != StatusCode::UNAUTHORIZED {
                *self.key.write().unwrap_or_else(PoisonError::into_inner) = newer;
            }
            Ok(reply)
        };
        timeout(self.limits.call, both)
            .await
            .unwrap_or_else(|_| Err(RestError::Deadline(self.limits.call).into()))
    }

    fn key(&self) -> Secret {
        self.key
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn attempt_with(
        &self,
        request: &Request<'_>,
        key: &Secret,
    ) -> Result<Reply, RemoteError> {
        let basic = authorization("Basic", key).ok_or(RemoteError::Other(
            "the API key has characters that no API key has: check 'credentials.key'",
        ))?;
        self.attempt(request, Some(&basic), key).await
    }

    async fn attempt(
        &self,
        request: &Request<'_>,
        authorization: Option<&HeaderValue>,
        credential: &Secret,
    ) -> Result<Reply, RemoteError> {
        let call = Call {
            method: request.method.clone(),
            path: request.path,
            authorization,
            body: request.body,
            max_answer: MAX_ANSWER,
        };
        Ok(Reply {
            answer: self.transport.call(&call).await?,
            key: credential.clone(),
            secret: Secret::new(request.secret.to_owned()),
        })
    }
}

// === impl Reply ===

impl Reply {
    /// Whether there is no security object of the name; anything else that is not
    /// found must not pass for a missing key.
    pub(super) fn is_not_found(&self) -> bool {
        self.says(StatusCode::NOT_FOUND, "sobject does not exist")
    }

    /// Whether there is a security object of the name already.
    pub(super) fn is_conflict(&self) -> bool {
        self.says(StatusCode::CONFLICT, "sobject already exists")
    }

    pub(super) fn expect(self, status: StatusCode) -> Result<Answer, RemoteError> {
        if self.answer.status == status {
            return Ok(self.answer);
        }
        let refusal: Option<Refusal> = serde_json::from_slice(&self.answer.body).ok();
        let message = refusal.as_ref().map(|refusal| refusal.message.as_str());
        let secrets = [self.key.expose(), self.secret.expose()];
        let error = RemoteError::refused(&self.answer, message, &secrets);
        Err(error.advise_denied(UNKNOWN, FORBIDDEN))
    }

    /// Errors are JSON or plain text.
    fn says(&self, status: StatusCode, message: &str) -> bool {
        let body = String::from_utf8_lossy(&self.answer.body).to_ascii_lowercase();
        self.answer.status == status && body.contains(message)
    }
}
