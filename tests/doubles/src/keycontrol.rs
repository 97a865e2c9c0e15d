//! An Entrust KeyControl appliance, as far as a PASM vault goes.
//!
//! There is no public recording of this API. The double is built from the published
//! clients of the vendor, its manual, and what MinIO KES sends; what none of them tells
//! (the answer to an unknown token, to a pending approval, and the like) is a setting.

mod failure;
mod settings;
mod vault;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};

use self::failure::json_response;
use self::vault::Vault;
use crate::{Authority, Server, Tls};

pub use self::failure::Refusal;
pub use self::settings::{Checkout, KeyControlRole, KeyControlSettings};

/// What all nodes of a cluster have in common.
#[derive(Clone)]
pub struct KeyControl(Arc<Mutex<Vault>>);

// === impl KeyControl ===

impl KeyControl {
    /// An appliance without secrets.
    #[must_use]
    pub fn new(settings: KeyControlSettings) -> Self {
        Self(Arc::new(Mutex::new(Vault::new(settings))))
    }

    /// Starts a node of the cluster; `number` tells it from the others.
    ///
    /// # Errors
    ///
    /// If it cannot start.
    pub async fn node(&self, number: usize, authority: &Authority, tls: Tls) -> Result<Server> {
        let appliance = self.clone();
        Server::start(authority, tls, move |request| {
            appliance.answer(number, request)
        })
        .await
    }

    /// Changes the settings.
    pub fn set(&self, change: impl FnOnce(&mut KeyControlSettings)) {
        change(&mut self.vault().settings);
    }

    /// The settings now.
    #[must_use]
    pub fn settings(&self) -> KeyControlSettings {
        self.vault().settings.clone()
    }

    /// Ends all tokens.
    pub fn revoke_tokens(&self) {
        self.vault().revoke_tokens();
    }

    /// The `secret_data` of a secret, as the appliance has it.
    #[must_use]
    pub fn secret_data(&self, name: &str) -> Option<String> {
        self.vault().secret_data(name)
    }

    /// Stores a secret the way an operator would.
    pub fn put_secret(&self, name: &str, secret_data: &str) {
        self.vault().put_secret(name, secret_data);
    }

    /// Lets a secret expire.
    pub fn expire_secret(&self, name: &str) {
        self.vault().expire_secret(name);
    }

    /// Removes all secrets.
    pub fn clear(&self) {
        self.vault().clear();
    }

    fn answer(&self, node: usize, request: &Request<Bytes>) -> Response<Bytes> {
        let mut vault = self.vault();
        let mut response = match vault.answer(node, request) {
            Ok(document) => json_response(vault.settings.success, &document),
            Err(failure) => failure.response(),
        };
        let date = vault.now().strftime("%a, %d %b %Y %H:%M:%S GMT");
        if let Ok(date) = HeaderValue::from_str(&date.to_string()) {
            response.headers_mut().insert(header::DATE, date);
        }
        response
    }

    fn vault(&self) -> MutexGuard<'_, Vault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
