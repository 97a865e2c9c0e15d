use keystead_crypto::Secret;
use keystead_rest::{Answer, StatusCode, Transport, presentable};
use serde::{Deserialize, Serialize};

use crate::{Action, Error};

/// The header of the token (key stores, section 5.1).
const AUTH_HEADER: &str = "X-Vault-Auth";

/// The most bytes of a list.
const MAX_LIST: usize = 10 << 20;

/// The most bytes of any other answer.
const MAX_ANSWER: usize = 1 << 20;

/// The calls of the API, all of which are a POST of JSON.
pub(crate) struct Api(Transport);

/// One call.
pub(crate) struct Call<'a, B> {
    pub(crate) action: Action,
    /// What follows the action in the path; ends with a slash unless empty.
    pub(crate) suffix: &'a str,
    pub(crate) token: Option<&'a Secret>,
    pub(crate) body: B,
    /// The secret in the body, if there is one.
    pub(crate) secret: Option<&'a str>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

// === impl Api ===

impl Api {
    pub(crate) fn new(transport: Transport) -> Self {
        Self(transport)
    }

    /// Makes a call that has to succeed.
    pub(crate) async fn call<B: Serialize>(&self, call: &Call<'_, B>) -> Result<Answer, Error> {
        let path = format!("/vault/1.0/{}/{}", call.action, call.suffix);
        let max_body = match call.action {
            Action::ListSecretIds => MAX_LIST,
            _ => MAX_ANSWER,
        };
        let answer = self
            .0
            .send(
                |client, endpoint| {
                    let request = client.post(endpoint.url(&path)).json(&call.body);
                    match call.token {
                        Some(token) => request.header(AUTH_HEADER, token.expose()),
                        None => request,
                    }
                },
                max_body,
            )
            .await?;
        // The original insists on 200; the vendor's own client takes 201, too.
        match answer.status {
            StatusCode::OK | StatusCode::CREATED => Ok(answer),
            _ => Err(call.error(&answer)),
        }
    }
}

// === impl Call ===

impl<B> Call<'_, B> {
    /// What an answer without success means (key stores, section 5.3).
    fn error(&self, answer: &Answer) -> Error {
        let refusal: Option<Refusal> = answer
            .is_json()
            .then(|| serde_json::from_slice(&answer.body).ok())
            .flatten();
        match (answer.status, refusal) {
            (StatusCode::CONFLICT, Some(Refusal { error })) if already_exists(&error) => {
                Error::Exists
            }
            (StatusCode::NOT_FOUND, Some(Refusal { error })) if not_found(&error) => {
                Error::NotFound
            }
            (StatusCode::NOT_FOUND, None) if answer.body.trim_ascii().is_empty() => {
                Error::Denied(self.action)
            }
            (status, Some(Refusal { error })) => Error::Refused {
                status,
                message: self.presentable(&error),
            },
            (status, None) => Error::Unexpected {
                status,
                text: self.presentable(&String::from_utf8_lossy(&answer.body)),
            },
        }
    }

    fn presentable(&self, message: &str) -> String {
        let secrets = [self.token.map(Secret::expose), self.secret];
        presentable(message, &secrets.map(Option::unwrap_or_default))
    }
}

fn already_exists(message: &str) -> bool {
    message.to_ascii_lowercase().contains("already exists")
}

/// Whether it is the secret that was not found. A missing box must not pass for a
/// missing key: clients would create the key anew.
fn not_found(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let Some((subject, _)) = message.split_once("not found") else {
        return false;
    };
    let mut words = subject.split(|c: char| c.is_whitespace() || "'\":,()".contains(c));
    subject.contains("secret") && !words.any(|word| word == "box")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_secret_is_not_found() {
        for message in [
            "Secret not found",
            "secret my-key not found",
            "Secret 'my-box-1' not found in box 'a'",
        ] {
            assert!(not_found(message), "{message}");
        }
        for message in [
            "",
            "Box not found",
            "Box 'secret-keys' not found",
            "box: secret not found",
            "Vault not found",
            "Secret is locked",
        ] {
            assert!(!not_found(message), "{message}");
        }
    }
}
