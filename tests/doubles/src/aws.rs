//! AWS Secrets Manager, as far as a key store goes, with the checks that moto leaves out.
//!
//! Made from the service's API reference and the documentation of Signature Version 4:
//! who asks is told by recomputing the signature, and what they may is a setting.

mod credentials;
mod service;
mod signature;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use http::Request;

use self::service::{Content, Service, Stored};
use crate::{Authority, Server, Tls};

pub use self::credentials::AwsCredentialService;

/// The secrets of one account in one region.
#[derive(Clone)]
pub struct Aws(Arc<Mutex<Service>>);

/// How the service behaves.
#[derive(Clone, Debug)]
pub struct AwsSettings {
    /// Its region.
    pub region: String,
    /// The one client it knows.
    pub keys: AwsKeys,
    /// The session of the client has come to its end.
    pub is_expired: bool,
    /// The actions that the client has no right to, such as `CreateSecret`.
    pub denied: Vec<String>,
    /// The KMS keys that can be used.
    pub kms_keys: Vec<String>,
    /// The most secrets in a page of a list.
    pub page: usize,
    /// Lists lead back to their first page.
    pub lists_without_end: bool,
}

/// What a client signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsKeys {
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// Session token.
    pub token: Option<String>,
}

// === impl AwsKeys ===

impl AwsKeys {
    /// Keys of a session, different for each `number`.
    #[must_use]
    pub fn session(number: u32) -> Self {
        Self {
            access_key: format!("ASIAEXAMPLE{number:09}"),
            secret_key: format!("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAM{number:06}"),
            token: Some(format!("IQoJb3JpZ2luX2VjE{number:020}==")),
        }
    }
}

impl Default for AwsKeys {
    /// Those of a user.
    fn default() -> Self {
        Self {
            access_key: "AKIAIOSFODNN7EXAMPLE".into(),
            secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            token: None,
        }
    }
}

impl Default for AwsSettings {
    fn default() -> Self {
        Self {
            region: "us-east-2".into(),
            keys: AwsKeys::default(),
            is_expired: false,
            denied: Vec::new(),
            kms_keys: vec!["alias/kes".into()],
            page: 4,
            lists_without_end: false,
        }
    }
}

// === impl Aws ===

impl Aws {
    /// An account without secrets.
    #[must_use]
    pub fn new(settings: AwsSettings) -> Self {
        Self(Arc::new(Mutex::new(Service::new(settings))))
    }

    /// Starts an endpoint of the service.
    ///
    /// # Errors
    ///
    /// If it cannot start.
    pub async fn endpoint(&self, authority: &Authority, tls: Tls) -> Result<Server> {
        let service = self.clone();
        let answer = move |request: &Request<Bytes>| service.service().answer(request);
        Server::start(authority, tls, answer).await
    }

    /// Changes the settings.
    pub fn set(&self, change: impl FnOnce(&mut AwsSettings)) {
        change(&mut self.service().settings);
    }

    /// The settings now.
    #[must_use]
    pub fn settings(&self) -> AwsSettings {
        self.service().settings.clone()
    }

    /// The text of a secret.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<String> {
        match &self.service().secrets.get(name)?.content {
            Content::Text(text) => Some(text.clone()),
            Content::Binary(_) => None,
        }
    }

    /// The KMS key that a secret was made with.
    #[must_use]
    pub fn kms_key(&self, name: &str) -> Option<String> {
        self.service().secrets.get(name)?.kms_key.clone()
    }

    /// Stores a secret the way an operator would.
    pub fn put_secret(&self, name: &str, text: &str) {
        self.put(name, Content::Text(text.to_owned()));
    }

    /// Stores a secret of bytes, given in base64.
    pub fn put_binary(&self, name: &str, base64: &str) {
        self.put(name, Content::Binary(base64.to_owned()));
    }

    fn put(&self, name: &str, content: Content) {
        let stored = Stored {
            content,
            version: "b0a4f7d2-0000-4000-8000-000000000000".into(),
            kms_key: None,
            is_scheduled: false,
        };
        self.service().secrets.insert(name.to_owned(), stored);
    }

    /// Deletes a secret the way an operator would, who can have it back for days.
    pub fn schedule_deletion(&self, name: &str) {
        if let Some(stored) = self.service().secrets.get_mut(name) {
            stored.is_scheduled = true;
        }
    }

    /// Removes all secrets.
    pub fn clear(&self) {
        self.service().secrets.clear();
    }

    fn service(&self) -> MutexGuard<'_, Service> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
