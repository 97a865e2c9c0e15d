//! Azure: one Key Vault as far as secrets go, the tenant's token endpoint, and the
//! instance metadata service of a machine.
//!
//! Built from the REST reference of Key Vault, the pages about Entra ID tokens and
//! managed identities, and answers that people have published in bug reports. What none
//! of them tells for certain (the list of versions of an absent secret, how fast a write
//! is seen) is a setting.

mod failure;
mod settings;
mod tokens;
mod vault;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use http::Request;

use self::failure::{Answer, Failure};
use self::tokens::Tokens;
use self::vault::Vault;
use crate::{Authority, Server, Tls};

pub use self::settings::AzureSettings;
pub use self::vault::AzureVersion;

/// A tenant with one vault and one machine, whatever the number of servers in front.
#[derive(Clone)]
pub struct Azure(Arc<Mutex<State>>);

struct State {
    settings: AzureSettings,
    tokens: Tokens,
    vault: Vault,
}

// === impl Azure ===

impl Azure {
    /// A vault without secrets.
    #[must_use]
    pub fn new(settings: AzureSettings) -> Self {
        Self(Arc::new(Mutex::new(State {
            settings,
            tokens: Tokens::default(),
            vault: Vault::default(),
        })))
    }

    /// Starts the vault, `https://NAME.vault.azure.net`.
    ///
    /// # Errors
    ///
    /// If it cannot start.
    pub async fn vault(&self, authority: &Authority) -> Result<Server> {
        self.serve(authority, Tls::On, |state, request| {
            state.tokens.check(request, &state.settings)?;
            state.vault.answer(request, &mut state.settings)
        })
        .await
    }

    /// Starts the token endpoint, `https://login.microsoftonline.com`.
    ///
    /// # Errors
    ///
    /// If it cannot start.
    pub async fn login(&self, authority: &Authority) -> Result<Server> {
        self.serve(authority, Tls::On, |state, request| {
            state.tokens.login(request, &state.settings)
        })
        .await
    }

    /// Starts the instance metadata service, `http://169.254.169.254`.
    ///
    /// # Errors
    ///
    /// If it cannot start.
    pub async fn metadata(&self, authority: &Authority) -> Result<Server> {
        self.serve(authority, Tls::Off, |state, request| {
            state.tokens.metadata(request, &state.settings)
        })
        .await
    }

    /// Changes the settings.
    pub fn set(&self, change: impl FnOnce(&mut AzureSettings)) {
        change(&mut self.state().settings);
    }

    /// The settings now.
    #[must_use]
    pub fn settings(&self) -> AzureSettings {
        self.state().settings.clone()
    }

    /// No token that was given out is accepted any more.
    pub fn revoke_tokens(&self) {
        self.state().tokens.revoke();
    }

    /// All tokens that were ever given out.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        self.state().tokens.issued().to_vec()
    }

    /// Writes a version of a secret, as an operator would with the vendor's tools.
    pub fn put_secret(&self, name: &str, value: &str) {
        self.state().vault.put(name, value);
    }

    /// Changes the versions of a secret, those that are not seen yet included.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut Vec<AzureVersion>)) {
        change(self.state().vault.all_versions(name));
    }

    /// The versions of a secret that is not deleted, in the order in which they came.
    #[must_use]
    pub fn versions(&self, name: &str) -> Vec<AzureVersion> {
        self.state().vault.versions(name)
    }

    /// Whether a secret is deleted but recoverable.
    #[must_use]
    pub fn is_deleted(&self, name: &str) -> bool {
        self.state().vault.is_deleted(name)
    }

    /// Deletes a secret softly, as an operator would.
    pub fn soft_delete(&self, name: &str) {
        self.state().vault.soft_delete(name, 0);
    }

    /// Removes all secrets.
    pub fn clear(&self) {
        self.state().vault = Vault::default();
    }

    async fn serve(
        &self,
        authority: &Authority,
        tls: Tls,
        handler: impl Fn(&mut State, &Request<Bytes>) -> Answer + Send + Sync + 'static,
    ) -> Result<Server> {
        let azure = self.clone();
        Server::start(authority, tls, move |request| {
            let outcome = handler(&mut azure.state(), request);
            outcome.unwrap_or_else(Failure::response)
        })
        .await
    }

    // Nothing panics while the lock is held, and if it does, the test has failed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
