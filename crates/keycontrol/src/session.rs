use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use keystead_config::SecretSource;
use keystead_config::kes::KeyControlConfig;
use keystead_crypto::Secret;
use keystead_rest::{Answer, Grant, Pace, Session, TokenEvent, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::api::{Api, Call};
use crate::{Action, Error};

/// The life of a token that does not tell, or seems to have expired before it came.
const DEFAULT_LIFE: Duration = Duration::from_secs(5 * 60);

/// A wrong password must not lock the account: it is sent nine times in the first five
/// minutes, then once a minute.
const PACE: Pace = Pace {
    first: Duration::from_secs(3),
    longest: Duration::from_secs(60),
};

/// What a URL path segment may hold as it is (RFC 3986).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// An account of a vault.
pub(crate) struct Account {
    api: Arc<Api>,
    /// The vault as it stands in the path.
    vault: String,
    username: String,
    password: SecretSource,
}

#[derive(Serialize)]
struct Credentials<'a> {
    username: &'a str,
    password: &'a str,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(default)]
    access_token: String,
    expires_at: Option<String>,
}

// === impl Account ===

impl Account {
    pub(crate) fn new(api: Arc<Api>, config: &KeyControlConfig) -> Self {
        Self {
            api,
            vault: format!("{}/", utf8_percent_encode(&config.vault_id, UNRESERVED)),
            username: config.username.clone(),
            password: config.password.clone(),
        }
    }
}

impl Session for Account {
    type Error = Error;

    const RENEWS: bool = true;

    fn pace(&self) -> Pace {
        PACE
    }

    async fn login(&self) -> Result<Grant, Error> {
        let password = self.password.read().map_err(Error::password)?;
        let password = password.expose();
        let call = Call {
            action: Action::Login,
            suffix: &self.vault,
            token: None,
            body: Credentials {
                username: &self.username,
                password,
            },
            secret: Some(password),
        };
        grant(call.action, &self.api.call(&call).await?)
    }

    async fn renew(&self, token: &Secret) -> Result<Grant, Error> {
        let call = Call {
            action: Action::Renew,
            suffix: "",
            token: Some(token),
            // The original sends no body, the vendor's own client this one.
            body: Nothing {},
            secret: None,
        };
        grant(call.action, &self.api.call(&call).await?)
    }

    fn is_refusal(error: &Error) -> bool {
        error.is_client_error()
    }

    fn message(event: TokenEvent) -> &'static str {
        match event {
            TokenEvent::Rejected => "keycontrol: auth token is not accepted any more",
            TokenEvent::RenewalFailed => "keycontrol: failed to renew auth token",
            TokenEvent::LoginFailed => "keycontrol: failed to login",
            TokenEvent::Recovered => "keycontrol: logged in again",
        }
    }
}

fn grant(action: Action, answer: &Answer) -> Result<Grant, Error> {
    let TokenAnswer {
        access_token,
        expires_at,
    } = serde_json::from_slice(&answer.body).map_err(|_| Error::Malformed(action))?;
    if access_token.is_empty() {
        return Err(Error::EmptyToken);
    }
    // The appliance's own clock, so that it need not agree with ours.
    let now = answer
        .header(&header::DATE)
        .and_then(|date| rfc2822::parse(date).ok())
        .map_or_else(Timestamp::now, |date| date.timestamp());
    Ok(Grant {
        token: Secret::new(access_token),
        life: life(expires_at.as_deref(), now),
    })
}

fn life(expires_at: Option<&str>, now: Timestamp) -> Duration {
    expires_at
        .and_then(|end| end.parse::<Timestamp>().ok())
        .and_then(|end| Duration::try_from(end.duration_since(now)).ok())
        .filter(|life| !life.is_zero())
        .unwrap_or(DEFAULT_LIFE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_of_a_token_ends_when_it_expires() {
        let now = "2025-05-26T16:30:00Z".parse().unwrap();
        for (expires_at, seconds) in [
            (Some("2025-05-26T16:34:34.021762Z"), 274.021_762),
            (Some("2025-05-26T18:34:34+02:00"), 274.0),
            (Some("2025-05-26T16:30:00Z"), 300.0),
            (Some("2025-05-26T16:29:59Z"), 300.0),
            (Some("never"), 300.0),
            (Some(""), 300.0),
            (None, 300.0),
        ] {
            assert_eq!(life(expires_at, now), Duration::from_secs_f64(seconds));
        }
    }
}
