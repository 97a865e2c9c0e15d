use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystead_config::kes::KeyControlConfig;
use keystead_crypto::SystemRandom;
use keystead_observe::{ErrorEvent, Level, Telemetry};
use keystead_rest::{Answer, Error as RestError, Keeper, Limits, Token, Transport};
use keystead_tls::{ClientSettings, Trust};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::api::{Api, Call};
use crate::session::Account;
use crate::{Action, Error};

/// The most names that one page of a list may have.
const PAGE: usize = 256;

/// The secrets of one box, as an account sees them.
pub struct Client {
    api: Arc<Api>,
    keeper: Keeper<Error>,
    box_id: String,
    limits: Limits,
    telemetry: Telemetry,
}

#[derive(Serialize)]
struct BoxOnly<'a> {
    box_id: &'a str,
}

#[derive(Serialize)]
struct NewSecret<'a> {
    box_id: &'a str,
    name: &'a str,
    secret_data: &'a str,
}

#[derive(Serialize)]
struct SecretOnly<'a> {
    box_id: &'a str,
    secret_id: &'a str,
}

#[derive(Serialize)]
struct Listing<'a> {
    box_id: &'a str,
    max_items: usize,
    /// Must be absent on the first page, not empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    prefix: &'a str,
}

#[derive(Deserialize)]
struct Checkout {
    secret_data: String,
    lease: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    secrets: Vec<Listed>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    #[serde(default)]
    expired: bool,
}

// === impl Client ===

impl Client {
    /// Logs in and looks whether the box is there.
    ///
    /// # Errors
    ///
    /// [`Error::Tls`] for the certificate authorities, [`Error::Login`], and those of
    /// [`Client::status`].
    pub async fn connect(
        config: &KeyControlConfig,
        limits: Limits,
        telemetry: Telemetry,
    ) -> Result<Self, Error> {
        let tls = keystead_tls::client(ClientSettings {
            credential: None,
            trust: config.ca.clone().map_or(Trust::System, Trust::SystemAnd),
        })?;
        let transport = Transport::new(
            &config.endpoints,
            tls,
            limits,
            Arc::new(SystemRandom),
            Arc::clone(&telemetry.metrics),
        )?;
        let api = Arc::new(Api::new(transport));
        let account = Account::new(Arc::clone(&api), config);
        let client = Self {
            api,
            keeper: Keeper::start(account, telemetry.clone()).await?,
            box_id: config.box_id.clone(),
            limits,
            telemetry,
        };
        client.status().await?;
        Ok(client)
    }

    /// Looks whether the box is there.
    ///
    /// An account that may not look at boxes but may list their secrets sees it, too.
    ///
    /// # Errors
    ///
    /// What went wrong.
    pub async fn status(&self) -> Result<(), Error> {
        let box_only = BoxOnly {
            box_id: &self.box_id,
        };
        match self.call(Action::GetBox, box_only, None).await {
            Err(Error::Denied(_)) => self.page("", None, 1).await.map(drop),
            outcome => outcome.map(drop),
        }
    }

    /// Stores a value under a name that is not in use. It is sent in base64.
    ///
    /// # Errors
    ///
    /// [`Error::Exists`] if the name is in use.
    pub async fn create(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        let secret_data = Zeroizing::new(STANDARD.encode(value));
        let secret = NewSecret {
            box_id: &self.box_id,
            name,
            secret_data: &secret_data,
        };
        self.call(Action::CreateSecret, secret, Some(&secret_data))
            .await
            .map(drop)
    }

    /// The value stored under a name.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the name is not in use.
    pub async fn checkout(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let action = Action::CheckoutSecret;
        let answer = self
            .call(action, self.secret(name), None)
            .await
            .map_err(Error::of_checkout)?;
        let Checkout { secret_data, lease } = decode(action, &answer)?;
        let secret_data = Zeroizing::new(secret_data);
        if lease.is_some() {
            self.telemetry.log.record(ErrorEvent::new(
                Level::WARN,
                "keycontrol: a lease was made: unset the checkout duration of the box",
            ));
        }
        // Go, in which the original is written, skips line breaks in base64.
        let text: Zeroizing<Vec<u8>> = Zeroizing::new(
            secret_data
                .bytes()
                .filter(|byte| !matches!(byte, b'\r' | b'\n'))
                .collect(),
        );
        match STANDARD.decode(&*text) {
            Ok(value) => Ok(Zeroizing::new(value)),
            Err(_) => Err(Error::NotBase64),
        }
    }

    /// Removes a name and its value.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the name is not in use.
    pub async fn delete(&self, name: &str) -> Result<(), Error> {
        self.call(Action::DeleteSecret, self.secret(name), None)
            .await
            .map(drop)
    }

    /// All names that begin with `prefix` and have not expired, in ascending byte
    /// order.
    ///
    /// # Errors
    ///
    /// What went wrong.
    pub async fn list(&self, prefix: &str) -> Result<BTreeSet<String>, Error> {
        let mut names = BTreeSet::new();
        let mut next: Option<String> = None;
        loop {
            let page = self.page(prefix, next.as_deref(), PAGE).await?;
            let is_last = page.secrets.is_empty();
            names.extend(
                page.secrets
                    .into_iter()
                    // The appliance has done that, if it knows prefixes.
                    .filter(|secret| !secret.expired && secret.name.starts_with(prefix))
                    .map(|secret| secret.name),
            );
            let token = page
                .next_token
                .filter(|token| !token.is_empty() && !is_last);
            if token.is_none() {
                return Ok(names);
            }
            if token == next {
                return Err(Error::EndlessList);
            }
            next = token;
        }
    }

    /// Stops the renewal of the token.
    pub fn close(&self) {
        self.keeper.close();
    }

    fn secret<'a>(&'a self, name: &'a str) -> SecretOnly<'a> {
        SecretOnly {
            box_id: &self.box_id,
            secret_id: name,
        }
    }

    async fn page(
        &self,
        prefix: &str,
        next_token: Option<&str>,
        max_items: usize,
    ) -> Result<Page, Error> {
        let listing = Listing {
            box_id: &self.box_id,
            max_items,
            next_token,
            prefix,
        };
        let action = Action::ListSecretIds;
        decode(action, &self.call(action, listing, None).await?)
    }

    /// Makes a call, a second time with another token if the first is not accepted.
    async fn call<B: Serialize>(
        &self,
        action: Action,
        body: B,
        secret: Option<&str>,
    ) -> Result<Answer, Error> {
        let attempt = async |token: &Token| {
            let call = Call {
                action,
                suffix: "",
                token: Some(&token.secret),
                body: &body,
                secret,
            };
            self.api.call(&call).await
        };
        let both = async {
            let token = self.keeper.token();
            match attempt(&token).await {
                Err(error) if error.is_unauthenticated() => {
                    attempt(&*self.keeper.replacement(&token).await?).await
                }
                outcome => outcome,
            }
        };
        timeout(self.limits.call, both)
            .await
            .unwrap_or_else(|_| Err(RestError::Deadline(self.limits.call).into()))
    }
}

/// Reads the answer of a success.
fn decode<'a, T: Deserialize<'a>>(action: Action, answer: &'a Answer) -> Result<T, Error> {
    // The cause would quote the answer, which may hold a secret.
    serde_json::from_slice(&answer.body).map_err(|_| Error::Malformed(action))
}
