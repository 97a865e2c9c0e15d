use std::sync::Arc;
use std::time::Duration;

use keystead_config::SecretSource;
use keystead_config::kes::KeySecureConfig;
use keystead_crypto::Secret;
use keystead_rest::{
    Call, Grant, Method, NoToken, Pace, Session, StatusCode, TokenEvent, Transport,
};
use serde::{Deserialize, Serialize};

use super::api::Refusal;
use crate::remote::{RemoteError, authorization, decode, encode, read};

/// The most bytes of an answer with a token.
const MAX_ANSWER: usize = 1 << 20;

/// What to do about a refresh token that is not accepted.
const ADVICE: &str = " (check 'credentials.token' and 'credentials.domain'; a refresh token may \
                      have expired or been revoked: issue a new one)";

/// Logs in with a refresh token.
pub(super) struct Login {
    transport: Arc<Transport>,
    token: SecretSource,
    domain: Option<String>,
    retry: Duration,
}

#[derive(Serialize)]
struct Credentials<'a> {
    grant_type: &'static str,
    refresh_token: &'a str,
    /// Without it, that of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'a str>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    token_type: String,
    jwt: String,
    /// Seconds.
    duration: u32,
}

// === impl Login ===

impl Login {
    pub(super) fn new(transport: Arc<Transport>, config: &KeySecureConfig) -> Self {
        Self {
            transport,
            token: config.token.clone(),
            domain: config.domain.clone(),
            retry: config.retry,
        }
    }
}

impl Session for Login {
    type Error = RemoteError;

    /// A refresh token is good for any number of tokens.
    const RENEWS: bool = false;

    fn pace(&self) -> Pace {
        Pace {
            first: self.retry,
            longest: self.retry,
        }
    }

    async fn login(&self) -> Result<Grant, RemoteError> {
        let refresh_token = read(&self.token).await?;
        let body = encode(&Credentials {
            grant_type: "refresh_token",
            refresh_token: refresh_token.expose(),
            domain: self.domain.as_deref(),
        })?;
        let call = Call {
            method: Method::POST,
            path: "/api/v1/auth/tokens",
            authorization: None,
            body: Some(&body),
            max_answer: MAX_ANSWER,
        };
        let answer = self.transport.call(&call).await?;
        if answer.status != StatusCode::OK {
            let error = Refusal::error(&answer, &[refresh_token.expose()]);
            return Err(if error.is_lasting() {
                error.advise(ADVICE)
            } else {
                error
            });
        }
        grant(decode(&answer)?)
    }

    async fn renew(&self, _token: &Secret) -> Result<Grant, RemoteError> {
        self.login().await
    }

    fn is_refusal(error: &RemoteError) -> bool {
        error.is_lasting()
    }

    fn message(event: TokenEvent) -> &'static str {
        match event {
            TokenEvent::Rejected => "keysecure: auth token is not accepted any more",
            TokenEvent::RenewalFailed | TokenEvent::LoginFailed => "keysecure: failed to login",
            TokenEvent::Recovered => "keysecure: logged in again",
        }
    }
}

impl From<NoToken<Self>> for RemoteError {
    fn from(reason: NoToken<Self>) -> Self {
        match reason {
            NoToken::Login(cause) => Self::Login(cause),
            NoToken::Closed => Self::Other("the key store is closed"),
        }
    }
}

fn grant(answer: TokenAnswer) -> Result<Grant, RemoteError> {
    let TokenAnswer {
        token_type,
        jwt,
        duration,
    } = answer;
    let token = Secret::new(jwt);
    if token_type != "Bearer" {
        return Err(RemoteError::Other("the token is not of the type 'Bearer'"));
    }
    if duration == 0 {
        return Err(RemoteError::Other("the token has no life"));
    }
    if token.expose().is_empty() || authorization("Bearer", &token).is_none() {
        return Err(RemoteError::Other("the token is empty or not a text"));
    }
    Ok(Grant {
        token,
        life: Duration::from_secs(duration.into()),
    })
}
