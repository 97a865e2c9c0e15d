//! Google Cloud, as far as a client of Secret Manager meets it: the REST API of version
//! 1, the token endpoints of OAuth 2.0 and of workload identity federation, and the
//! metadata server of a virtual machine.
//!
//! Built from the public reference of the API, its guides on errors, entity tags and
//! access control, and AIP-4111 for JSON web tokens that an account signs itself.

mod account;
mod failure;
mod project;
mod settings;
mod tokens;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response};

use self::project::Project;
use crate::{Authority, Server, Tls};

pub use self::account::GcpAccount;
pub use self::settings::GcpSettings;

/// A project of Google Cloud with one service account and one user.
#[derive(Clone)]
pub struct Gcp(Arc<Mutex<Project>>);

// === impl Gcp ===

impl Gcp {
    /// The token of another identity provider that can be exchanged.
    pub const SUBJECT_TOKEN: &str = tokens::SUBJECT_TOKEN;

    /// A project without secrets, and an account with a new key.
    ///
    /// # Errors
    ///
    /// If the key cannot be made.
    pub fn new(settings: GcpSettings) -> Result<Self> {
        let project = Project::new(settings, GcpAccount::new()?);
        Ok(Self(Arc::new(Mutex::new(project))))
    }

    /// Starts a server for all of the APIs.
    ///
    /// # Errors
    ///
    /// If it cannot start.
    pub async fn serve(&self, authority: &Authority, tls: Tls) -> Result<Server> {
        let gcp = self.clone();
        Server::start(authority, tls, move |request| gcp.project().answer(request)).await
    }

    /// The service account.
    #[must_use]
    pub fn account(&self) -> GcpAccount {
        self.project().account.clone()
    }

    /// The settings now.
    #[must_use]
    pub fn settings(&self) -> GcpSettings {
        self.project().settings.clone()
    }

    /// Changes the settings.
    pub fn set(&self, change: impl FnOnce(&mut GcpSettings)) {
        change(&mut self.project().settings);
    }

    /// The JSON file of a user's application default credentials, whose tokens come from
    /// the server at `url`.
    #[must_use]
    pub fn user_file(url: &str) -> String {
        tokens::user_file(url)
    }

    /// The JSON file of application default credentials for a workload outside of
    /// Google Cloud: its token is [`Gcp::SUBJECT_TOKEN`] in a file, and is exchanged by
    /// the server at `url`.
    #[must_use]
    pub fn workload_file(url: &str, subject_token: &Path) -> String {
        tokens::workload_file(url, subject_token)
    }

    /// Ends all tokens that were given out.
    pub fn revoke_tokens(&self) {
        self.project().tokens.revoke();
    }

    /// The data of a version of a secret; the first is 1.
    #[must_use]
    pub fn data(&self, name: &str, version: usize) -> Option<Vec<u8>> {
        self.project().data(name, version)
    }

    /// How many versions a secret has; `None` if there is none of this name.
    #[must_use]
    pub fn versions(&self, name: &str) -> Option<usize> {
        self.project().versions(name)
    }

    /// Stores a secret the way an operator would. Without `data` it has no version.
    pub fn put_secret(&self, name: &str, data: Option<&[u8]>) {
        self.project().put(name, data);
    }

    /// Adds a version to a secret the way an operator would.
    pub fn add_version(&self, name: &str, data: &[u8]) {
        self.project().add_version(name, data);
    }

    /// Destroys a version of a secret, as can be done with the console.
    pub fn destroy_version(&self, name: &str, version: usize) {
        self.project().destroy(name, version);
    }

    /// Removes all secrets.
    pub fn clear(&self) {
        self.project().clear();
    }

    fn project(&self) -> MutexGuard<'_, Project> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer of one of the APIs.
type Answer = Result<serde_json::Value, failure::Failure>;

/// Makes an HTTP response of it.
fn response(answer: Answer) -> Response<Bytes> {
    match answer {
        Ok(document) => failure::json(http::StatusCode::OK, &document),
        Err(failure) => failure.response(),
    }
}

/// A request in its parts.
struct Asked<'r> {
    request: &'r Request<Bytes>,
    /// The path with its escapes resolved.
    path: String,
}

// === impl Asked ===

impl<'r> Asked<'r> {
    fn new(request: &'r Request<Bytes>) -> Self {
        Self {
            request,
            path: unescape(request.uri().path()),
        }
    }

    fn header(&self, name: &str) -> Option<&'r str> {
        self.request.headers().get(name)?.to_str().ok()
    }

    /// A parameter of the query.
    fn query(&self, name: &str) -> Option<String> {
        parameter(self.request.uri().query()?, name)
    }

    /// A parameter of a form.
    fn form(&self, name: &str) -> Option<String> {
        parameter(std::str::from_utf8(self.request.body()).ok()?, name)
    }

    fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(self.request.body()).ok()
    }
}

fn parameter(text: &str, name: &str) -> Option<String> {
    text.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (unescape(key) == name).then(|| unescape(&value.replace('+', " ")))
    })
}

/// Resolves percent escapes.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, others)) = rest.split_first() {
        let escaped = others
            .get(..2)
            .filter(|_| first == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(first));
        rest = others
            .get(if escaped.is_some() { 2 } else { 0 }..)
            .unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
