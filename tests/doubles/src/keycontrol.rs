//! An Entrust KeyControl appliance, as far as a PASM vault goes.
//!
//! There is no public recording of this API. The double is built from the published
//! clients of the vendor, its manual, and what MinIO KES sends; what none of them tells
//! (the status of an unknown token, of a pending approval, and the like) is a setting.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::{Authority, Server, Tls};

/// The most names in a page, whatever was asked for.
const MAX_ITEMS: u64 = 1000;

/// What all nodes of a cluster have in common.
#[derive(Clone)]
pub struct KeyControl(Arc<Mutex<State>>);

struct State {
    settings: KeyControlSettings,
    /// Tokens by (node, token); node 0 stands for all.
    tokens: HashMap<(usize, String), Timestamp>,
    issued: u64,
    secrets: BTreeMap<String, KeyControlSecret>,
}

/// What a test may change at any time.
#[derive(Clone, Debug)]
pub struct KeyControlSettings {
    /// UUID of the only vault.
    pub vault_id: String,
    /// The only account.
    pub username: String,
    /// Its password.
    pub password: String,
    /// UUID of the only box.
    pub box_id: String,
    /// Name of the only box.
    pub box_name: String,
    /// How long tokens live.
    pub token_life: Duration,
    /// Whether `expires_at` is in the answer.
    pub tells_expiry: bool,
    /// Whether a token ends when it is renewed.
    pub revokes_renewed: bool,
    /// Whether every node accepts the tokens of the others.
    pub shares_tokens: bool,
    /// How much the appliance's clock is ahead of ours.
    pub clock: SignedDuration,
    /// The answer to a request with a token that is missing, wrong or too old.
    pub unauthenticated: Refusal,
    /// The status of success.
    pub success: StatusCode,
    /// Actions for which the account has no right.
    pub denied: BTreeSet<&'static str>,
    /// What a checkout comes to.
    pub checkout: Checkout,
    /// Whether a list never ends.
    pub repeats_pages: bool,
}

/// An error of the API.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// The text in `error`.
    pub message: String,
}

/// What the settings of a box make of a checkout.
#[derive(Clone, Debug)]
pub enum Checkout {
    /// Checkout duration unset: no lease.
    Plain,
    /// Checkout duration set: a lease that ends so long from now.
    Leased(SignedDuration),
    /// Exclusive checkout held by another user, or approval pending; how the appliance
    /// says so is not known.
    Refused(Refusal),
}

/// The roles of an account.
#[derive(Clone, Copy, Debug)]
pub enum KeyControlRole {
    /// Everything.
    VaultAdmin,
    /// Reads and lists.
    VaultUser,
    /// All but reading.
    BoxAdmin,
}

#[derive(Clone)]
struct KeyControlSecret {
    id: String,
    data: String,
    expired: bool,
}

type Answer = Result<Value, Response<Bytes>>;

// === impl KeyControlSettings ===

impl Default for KeyControlSettings {
    fn default() -> Self {
        Self {
            vault_id: "e30497c1-bff7-4e81-beb7-fb35c4b7410c".into(),
            username: "kes-tenant-1@my-org.com".into(),
            password: "c0rrect-h0rse \"battery\"".into(),
            box_id: "7c2f2d2c-33e5-4ad8-8b1c-0a2c3a7b9d10".into(),
            box_name: "tenant-1".into(),
            token_life: Duration::from_secs(300),
            tells_expiry: true,
            revokes_renewed: false,
            shares_tokens: true,
            clock: SignedDuration::ZERO,
            unauthenticated: Refusal::new(401, "Authentication failure"),
            success: StatusCode::OK,
            denied: BTreeSet::new(),
            checkout: Checkout::Plain,
            repeats_pages: false,
        }
    }
}

impl KeyControlSettings {
    /// Gives the account a role.
    pub fn role(&mut self, role: KeyControlRole) {
        let denied: &[&str] = match role {
            KeyControlRole::VaultAdmin => &[],
            KeyControlRole::VaultUser => &["GetBox", "CreateSecret", "DeleteSecret"],
            KeyControlRole::BoxAdmin => &["CheckoutSecret"],
        };
        self.denied = denied.iter().copied().collect();
    }
}

// === impl Refusal ===

impl Refusal {
    /// An error of the API.
    #[must_use]
    pub fn new(status: u16, message: &str) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            message: message.to_owned(),
        }
    }
}

// === impl KeyControl ===

impl KeyControl {
    /// An appliance without secrets.
    #[must_use]
    pub fn new(settings: KeyControlSettings) -> Self {
        Self(Arc::new(Mutex::new(State {
            settings,
            tokens: HashMap::new(),
            issued: 0,
            secrets: BTreeMap::new(),
        })))
    }

    /// Changes the settings.
    pub fn set(&self, change: impl FnOnce(&mut KeyControlSettings)) {
        change(&mut self.state().settings);
    }

    /// The settings now.
    #[must_use]
    pub fn settings(&self) -> KeyControlSettings {
        self.state().settings.clone()
    }

    /// Ends all tokens.
    pub fn revoke_tokens(&self) {
        self.state().tokens.clear();
    }

    /// The `secret_data` of a secret, as the appliance has it.
    #[must_use]
    pub fn secret_data(&self, name: &str) -> Option<String> {
        self.state()
            .secrets
            .get(name)
            .map(|secret| secret.data.clone())
    }

    /// Stores a secret the way an operator would.
    pub fn put_secret(&self, name: &str, secret_data: &str) {
        self.state().store(name, secret_data);
    }

    /// Lets a secret expire.
    pub fn expire_secret(&self, name: &str) {
        if let Some(secret) = self.state().secrets.get_mut(name) {
            secret.expired = true;
        }
    }

    /// Removes all secrets.
    pub fn clear(&self) {
        self.state().secrets.clear();
    }

    /// How many tokens have been given out, by login or renewal.
    #[must_use]
    pub fn tokens_issued(&self) -> u64 {
        self.state().issued
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

    fn answer(&self, node: usize, request: &Request<Bytes>) -> Response<Bytes> {
        let mut state = self.state();
        let success = state.settings.success;
        let mut response = match state.answer(node, request) {
            Ok(document) => json_response(success, &document),
            Err(response) => response,
        };
        let date = state
            .now()
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string();
        if let Ok(date) = HeaderValue::from_str(&date) {
            response.headers_mut().insert(header::DATE, date);
        }
        response
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    fn answer(&mut self, node: usize, request: &Request<Bytes>) -> Answer {
        let path = request.uri().path();
        let Some(action) = path
            .strip_prefix("/vault/1.0/")
            .and_then(|rest| rest.strip_suffix('/'))
        else {
            let page = "<html><body><h1>Not Found</h1></body></html>";
            return Err(page_response(StatusCode::NOT_FOUND, page));
        };
        if request.method() != Method::POST {
            let page = "Method Not Allowed";
            return Err(page_response(StatusCode::METHOD_NOT_ALLOWED, page));
        }
        let body = match request.body().is_empty() {
            true if action == "Renew" => Map::new(),
            _ => serde_json::from_slice(request.body()).map_err(|_| error(400, "Invalid JSON"))?,
        };
        if let Some(vault) = action.strip_prefix("Login/") {
            return self.login(node, vault, &body);
        }
        let token = request
            .headers()
            .get("X-Vault-Auth")
            .and_then(|token| token.to_str().ok())
            .unwrap_or_default();
        let token = (self.scope(node), token.to_owned());
        if !self.tokens.get(&token).is_some_and(|end| self.now() < *end) {
            return Err(self.settings.unauthenticated.response());
        }
        if self.settings.denied.contains(action) {
            return Err(denied());
        }
        match action {
            "Renew" => self.renew(node, &token),
            "GetBox" => self.get_box(&body),
            "CreateSecret" => self.create(&body),
            "CheckoutSecret" => self.checkout(&body),
            "DeleteSecret" => self.delete(&body),
            "ListSecretIds" => self.list(&body),
            _ => Err(denied()),
        }
    }

    fn login(&mut self, node: usize, vault: &str, body: &Map<String, Value>) -> Answer {
        if vault != self.settings.vault_id {
            return Err(error(404, "Vault not found"));
        }
        let credentials = (text(body, "username")?, text(body, "password")?);
        if credentials != (&self.settings.username, &self.settings.password) {
            return Err(error(401, "Invalid username or password"));
        }
        let mut answer = self.issue(node);
        let more = json!({
            "is_user": true,
            "box_admin": false,
            "appliance_id": "0f1e2d3c-0000-4000-8000-000000000001",
            "admin": true,
            "user": self.settings.username,
        });
        merge(&mut answer, more);
        Ok(answer)
    }

    fn renew(&mut self, node: usize, token: &(usize, String)) -> Answer {
        if self.settings.revokes_renewed {
            self.tokens.remove(token);
        }
        Ok(self.issue(node))
    }

    /// A new token, in the form of an answer.
    fn issue(&mut self, node: usize) -> Value {
        self.issued += 1;
        let token = format!("kc-token-{}-{}", self.issued, self.now().as_nanosecond());
        let end = self.now() + self.settings.token_life;
        self.tokens.insert((self.scope(node), token.clone()), end);
        if self.settings.tells_expiry {
            json!({ "access_token": token, "expires_at": format!("{end:.6}") })
        } else {
            json!({ "access_token": token })
        }
    }

    fn get_box(&self, body: &Map<String, Value>) -> Answer {
        self.in_box(body)?;
        Ok(json!({ "box_id": self.settings.box_id, "name": self.settings.box_name }))
    }

    fn create(&mut self, body: &Map<String, Value>) -> Answer {
        self.in_box(body)?;
        let (name, data) = (text(body, "name")?, text(body, "secret_data")?);
        if self.secrets.contains_key(name) {
            return Err(error(409, "Secret already exists"));
        }
        Ok(json!({ "secret_id": self.store(name, data) }))
    }

    fn store(&mut self, name: &str, data: &str) -> String {
        let number = self.secrets.len() + 1;
        let id = format!("5ec2e700-0000-4000-8000-{number:012}");
        let secret = KeyControlSecret {
            id: id.clone(),
            data: data.to_owned(),
            expired: false,
        };
        self.secrets.insert(name.to_owned(), secret);
        id
    }

    fn checkout(&self, body: &Map<String, Value>) -> Answer {
        let name = self.find(body)?;
        let secret = self.secrets.get(&name).ok_or_else(not_found)?;
        let mut answer = json!({
            "secret_data": secret.data,
            "secret_subtype_info": { "type": "text" },
        });
        match &self.settings.checkout {
            Checkout::Plain => Ok(answer),
            Checkout::Refused(refusal) => Err(refusal.response()),
            Checkout::Leased(life) => {
                let lease = json!({
                    "lease_id": "1ea5e000-0000-4000-8000-000000000001",
                    "expires_at": (self.now() + *life).to_string(),
                    "renewable": true,
                });
                merge(&mut answer, json!({ "lease": lease }));
                Ok(answer)
            }
        }
    }

    fn delete(&mut self, body: &Map<String, Value>) -> Answer {
        let name = self.find(body)?;
        self.secrets.remove(&name);
        Ok(json!({}))
    }

    fn list(&self, body: &Map<String, Value>) -> Answer {
        self.in_box(body)?;
        let prefix = body
            .get("prefix")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let max_items = body
            .get("max_items")
            .and_then(Value::as_u64)
            .unwrap_or(MAX_ITEMS);
        let max_items = usize::try_from(max_items.clamp(1, MAX_ITEMS)).unwrap_or(1);
        let start = match body.get("next_token") {
            None => String::new(),
            Some(token) => self
                .context(token)
                .ok_or_else(|| error(400, "Invalid next_token"))?,
        };
        let mut names = self
            .secrets
            .range(start.clone()..)
            .filter(|(name, _)| name.starts_with(prefix));
        let secrets: Vec<Value> = names
            .by_ref()
            .take(max_items)
            .map(|(name, secret)| {
                json!({ "secret_id": secret.id, "name": name, "expired": secret.expired })
            })
            .collect();
        let next = match names.next() {
            _ if self.settings.repeats_pages => Some(start),
            next => next.map(|(name, _)| name.clone()),
        };
        let next_token = next.map(|next| {
            let context = json!({ "box_id": body.get("box_id"), "next_ctx": next });
            STANDARD.encode(context.to_string())
        });
        Ok(json!({ "secrets": secrets, "next_token": next_token.unwrap_or_default() }))
    }

    /// The place in a list that a token stands for.
    fn context(&self, token: &Value) -> Option<String> {
        let token = STANDARD.decode(token.as_str()?).ok()?;
        let token: Map<String, Value> = serde_json::from_slice(&token).ok()?;
        self.in_box(&token).ok()?;
        Some(token.get("next_ctx")?.as_str()?.to_owned())
    }

    /// The name of the secret that is meant by name or UUID.
    fn find(&self, body: &Map<String, Value>) -> Result<String, Response<Bytes>> {
        self.in_box(body)?;
        let wanted = text(body, "secret_id")?;
        self.secrets
            .iter()
            .find(|(name, secret)| *name == wanted || secret.id == *wanted)
            .map(|(name, _)| name.clone())
            .ok_or_else(not_found)
    }

    fn in_box(&self, body: &Map<String, Value>) -> Result<(), Response<Bytes>> {
        let wanted = text(body, "box_id")?;
        if [&self.settings.box_id, &self.settings.box_name].contains(&wanted) {
            Ok(())
        } else {
            Err(error(404, "Box not found"))
        }
    }

    fn scope(&self, node: usize) -> usize {
        if self.settings.shares_tokens { 0 } else { node }
    }

    fn now(&self) -> Timestamp {
        Timestamp::now() + self.settings.clock
    }
}

// === impl Refusal ===

impl Refusal {
    fn response(&self) -> Response<Bytes> {
        json_response(self.status, &json!({ "error": self.message }))
    }
}

fn error(status: u16, message: &str) -> Response<Bytes> {
    Refusal::new(status, message).response()
}

fn not_found() -> Response<Bytes> {
    error(404, "Secret not found")
}

/// How the appliance answers what the account may not do, and what it does not know.
fn denied() -> Response<Bytes> {
    respond(StatusCode::NOT_FOUND, None, Bytes::new())
}

fn text<'a>(body: &'a Map<String, Value>, key: &str) -> Result<&'a String, Response<Bytes>> {
    match body.get(key) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(error(400, &format!("{key} is required"))),
    }
}

fn merge(document: &mut Value, more: Value) {
    if let (Some(document), Value::Object(more)) = (document.as_object_mut(), more) {
        document.extend(more);
    }
}

fn json_response(status: StatusCode, document: &Value) -> Response<Bytes> {
    let body = Bytes::from(document.to_string());
    respond(status, Some("application/json; charset=utf-8"), body)
}

fn page_response(status: StatusCode, page: &'static str) -> Response<Bytes> {
    respond(
        status,
        Some("text/html"),
        Bytes::from_static(page.as_bytes()),
    )
}

fn respond(status: StatusCode, kind: Option<&'static str>, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if let Some(kind) = kind {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    response
}
