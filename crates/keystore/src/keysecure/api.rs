use std::sync::Arc;
use std::time::Duration;

use keystead_rest::{
    Answer, Call, Error as RestError, Keeper, Limits, Method, StatusCode, Token, Transport,
};
use serde::Deserialize;
use tokio::time::{Instant, timeout};

use crate::remote::{RemoteError, authorization, reach};

/// The most bytes of an answer: an exported secret has 2 MiB.
const MAX_ANSWER: usize = 2 << 20;

/// What to do about a token that is not accepted even when it is new.
const UNKNOWN: &str = " (a new token is not accepted: do the nodes agree on the time?)";

/// What to do about a missing right.
const FORBIDDEN: &str = " (the account of the refresh token lacks a right)";

/// Calls with a valid token.
pub(super) struct Api {
    transport: Arc<Transport>,
    keeper: Keeper<RemoteError>,
    limits: Limits,
}

/// What is asked for.
pub(super) struct Request<'r> {
    pub(super) method: Method,
    pub(super) path: &'r str,
    pub(super) body: Option<&'r [u8]>,
    /// What errors must not show of the body.
    pub(super) secret: &'r str,
}

/// An answer, and the token that it is for.
struct Reply {
    answer: Answer,
    token: Arc<Token>,
}

/// An error of the API.
#[derive(Deserialize)]
pub(super) struct Refusal {
    /// Only the API gives one.
    #[serde(rename = "code")]
    _code: serde_json::Number,
    #[serde(rename = "codeDesc", default)]
    description: String,
}

// === impl Request ===

impl<'r> Request<'r> {
    pub(super) fn get(path: &'r str) -> Self {
        Self {
            method: Method::GET,
            path,
            body: None,
            secret: "",
        }
    }

    pub(super) fn post(path: &'r str) -> Self {
        Self {
            method: Method::POST,
            ..Self::get(path)
        }
    }
}

// === impl Refusal ===

impl Refusal {
    /// The error that an answer holds, unless it comes from something else, such as a
    /// proxy.
    pub(super) fn of(answer: &Answer) -> Option<Self> {
        serde_json::from_slice(&answer.body).ok()
    }

    pub(super) fn error(answer: &Answer, secrets: &[&str]) -> RemoteError {
        let refusal = Self::of(answer);
        let message = refusal.as_ref().map(|refusal| refusal.description.as_str());
        RemoteError::refused(answer, message, secrets)
    }
}

// === impl Api ===

impl Api {
    pub(super) fn new(
        transport: Arc<Transport>,
        keeper: Keeper<RemoteError>,
        limits: Limits,
    ) -> Self {
        Self {
            transport,
            keeper,
            limits,
        }
    }

    /// An answer to something that has to be there.
    pub(super) async fn call(&self, request: &Request<'_>) -> Result<Answer, RemoteError> {
        self.send(request).await?.expect(StatusCode::OK, request)
    }

    /// An answer, or `None` if the key store says that there is no such secret.
    pub(super) async fn find(&self, request: &Request<'_>) -> Result<Option<Answer>, RemoteError> {
        let reply = self.send(request).await?;
        if reply.is_not_found() {
            return Ok(None);
        }
        reply.expect(StatusCode::OK, request).map(Some)
    }

    /// Whether a secret was created; otherwise there is one of this name.
    pub(super) async fn create(&self, request: &Request<'_>) -> Result<bool, RemoteError> {
        let reply = self.send(request).await?;
        if reply.answer.status == StatusCode::CONFLICT {
            return Ok(false);
        }
        reply.expect(StatusCode::CREATED, request)?;
        Ok(true)
    }

    /// Whether a secret was deleted; otherwise the key store says that there is none.
    pub(super) async fn delete(&self, path: &str) -> Result<bool, RemoteError> {
        let request = Request {
            method: Method::DELETE,
            ..Request::get(path)
        };
        let reply = self.send(&request).await?;
        if reply.is_not_found() {
            return Ok(false);
        }
        reply.expect(StatusCode::NO_CONTENT, &request)?;
        Ok(true)
    }

    /// Whether the key store answers and there is a session.
    pub(super) async fn status(&self) -> Result<Duration, RemoteError> {
        let start = Instant::now();
        reach(&self.transport).await?;
        match self.keeper.lost() {
            Some(cause) => Err(RemoteError::Login(cause)),
            None => Ok(start.elapsed()),
        }
    }

    pub(super) fn close(&self) {
        self.keeper.close();
    }

    /// Any answer; the second one, to another token, if the first token is not accepted.
    async fn send(&self, request: &Request<'_>) -> Result<Reply, RemoteError> {
        let both = async {
            let reply = self.attempt(request, self.keeper.token()).await?;
            if reply.answer.status != StatusCode::UNAUTHORIZED {
                return Ok(reply);
            }
            let token = self.keeper.replacement(&reply.token).await?;
            self.attempt(request, token).await
        };
        timeout(self.limits.call, both)
            .await
            .unwrap_or_else(|_| Err(RestError::Deadline(self.limits.call).into()))
    }

    async fn attempt(
        &self,
        request: &Request<'_>,
        token: Arc<Token>,
    ) -> Result<Reply, RemoteError> {
        let authorization = authorization("Bearer", &token.secret)
            .ok_or(RemoteError::Other("the token cannot stand in a header"))?;
        let call = Call {
            method: request.method.clone(),
            path: request.path,
            authorization: Some(&authorization),
            body: request.body,
            max_answer: MAX_ANSWER,
        };
        let answer = self.transport.call(&call).await?;
        Ok(Reply { answer, token })
    }
}

// === impl Reply ===

impl Reply {
    /// Whether it is the API that does not know a secret.
    fn is_not_found(&self) -> bool {
        self.answer.status == StatusCode::NOT_FOUND && Refusal::of(&self.answer).is_some()
    }

    fn expect(self, status: StatusCode, request: &Request<'_>) -> Result<Answer, RemoteError> {
        if self.answer.status == status {
            return Ok(self.answer);
        }
        let secrets = [self.token.secret.expose(), request.secret];
        Err(Refusal::error(&self.answer, &secrets).advise_denied(UNKNOWN, FORBIDDEN))
    }
}
