//! A Thales CipherTrust Manager, as far as its secrets go (key stores, section 9).

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::answer;

/// What a test may change at any time.
#[derive(Clone, Debug)]
pub struct CipherTrustSettings {
    /// Refresh tokens that are accepted.
    pub refresh_tokens: BTreeSet<String>,
    /// The domain that they belong to; `None` for the root domain.
    pub domain: Option<String>,
    /// How long a JWT lives; whole seconds.
    pub token_life: Duration,
    /// What a login says it gives.
    pub token_type: String,
    /// What the account must not do: `create`, `export`, `delete`, `list`.
    pub denied: BTreeSet<&'static str>,
    /// The most secrets in a page, whatever was asked for.
    pub page: usize,
    /// Whether a list says from where on it is.
    pub echoes_skip: bool,
    /// Deletes the oldest secret after so many pages of lists, once for each.
    pub deletes_while_listing: usize,
    /// Whether errors are plain text.
    pub speaks_text: bool,
}

/// The appliance; clones are the same one.
#[derive(Clone)]
pub struct CipherTrust(Arc<Mutex<State>>);

struct State {
    settings: CipherTrustSettings,
    /// When they end.
    tokens: HashMap<String, Instant>,
    logins: usize,
    /// In the order in which they were made.
    secrets: Vec<Secret>,
    made: usize,
}

struct Secret {
    id: String,
    name: String,
    data_type: String,
    material: String,
}

type Answer = Result<Response<Bytes>, Refusal>;

/// An error: status, code and description.
struct Refusal(StatusCode, u32, &'static str);

const UNAUTHORIZED: Refusal = Refusal(
    StatusCode::UNAUTHORIZED,
    5,
    "NCERRUnauthorized: Unauthorized",
);
const FORBIDDEN: Refusal = Refusal(
    StatusCode::FORBIDDEN,
    6,
    "NCERRInsufficientPermissions: Caller has insufficient permissions",
);
const NOT_FOUND: Refusal = Refusal(
    StatusCode::NOT_FOUND,
    11,
    "NCERRResourceNotFound: Resource not found",
);
const CONFLICT: Refusal = Refusal(
    StatusCode::CONFLICT,
    10,
    "NCERRResourceAlreadyExists: Resource already exists",
);
const BAD_REQUEST: Refusal = Refusal(
    StatusCode::BAD_REQUEST,
    3,
    "NCERRBadRequest: Bad HTTP request",
);

// === impl CipherTrustSettings ===

impl Default for CipherTrustSettings {
    fn default() -> Self {
        Self {
            refresh_tokens: ["Wz0vCcvLbFcYQGy3qVr8eQ4e2dEuI5qV".into()].into(),
            domain: None,
            token_life: Duration::from_secs(300),
            token_type: "Bearer".into(),
            denied: BTreeSet::new(),
            page: usize::MAX,
            echoes_skip: true,
            deletes_while_listing: 0,
            speaks_text: false,
        }
    }
}

// === impl CipherTrust ===

impl CipherTrust {
    /// An appliance without secrets.
    #[must_use]
    pub fn new(settings: CipherTrustSettings) -> Self {
        Self(Arc::new(Mutex::new(State {
            settings,
            tokens: HashMap::new(),
            logins: 0,
            secrets: Vec::new(),
            made: 0,
        })))
    }

    /// Answers a request.
    #[must_use]
    pub fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let mut state = self.state();
        match state.answer(request) {
            Ok(response) => response,
            Err(Refusal(status, _, description)) if state.settings.speaks_text => {
                answer::text(status, description)
            }
            Err(Refusal(status, code, description)) => {
                answer::json(status, &json!({ "code": code, "codeDesc": description }))
            }
        }
    }

    /// Changes the settings.
    pub fn set(&self, change: impl FnOnce(&mut CipherTrustSettings)) {
        change(&mut self.state().settings);
    }

    /// Ends all tokens.
    pub fn revoke_tokens(&self) {
        self.state().tokens.clear();
    }

    /// How many logins succeeded.
    #[must_use]
    pub fn logins(&self) -> usize {
        self.state().logins
    }

    /// Type and material of a secret, as the appliance has them.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<(String, String)> {
        let state = self.state();
        let secret = state.secrets.iter().find(|secret| secret.name == name)?;
        Some((secret.data_type.clone(), secret.material.clone()))
    }

    /// Stores a secret the way an operator would.
    pub fn put_secret(&self, name: &str, material: &str) {
        self.state().put("seed", name, material);
    }

    /// Removes all secrets.
    pub fn clear(&self) {
        self.state().secrets.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    fn answer(&mut self, request: &Request<Bytes>) -> Answer {
        let path = request.uri().path();
        if path == "/" && request.method() == Method::GET {
            return Ok(answer::html(
                StatusCode::OK,
                "<html>CipherTrust Manager</html>",
            ));
        }
        let Some(path) = path.strip_prefix("/api/v1/") else {
            return Ok(answer::html(StatusCode::NOT_FOUND, "<html>404</html>"));
        };
        if path == "auth/tokens" && request.method() == Method::POST {
            return self.log_in(request);
        }
        self.authorize(request)?;
        let query = answer::query(request);
        let by_name = query.get("type").is_some_and(|kind| kind == "name");
        let parts: Vec<&str> = path.split('/').collect();
        match (request.method().as_str(), parts.as_slice()) {
            ("POST", ["vault", "secrets"]) => self.create(request),
            ("GET", ["vault", "secrets"]) => self.list(&query),
            ("POST", ["vault", "secrets", secret, "export"]) => self.export(secret, by_name),
            ("DELETE", ["vault", "secrets", secret]) => self.delete(secret, by_name),
            _ => Err(NOT_FOUND),
        }
    }

    fn log_in(&mut self, request: &Request<Bytes>) -> Answer {
        let credentials = answer::document(request).ok_or(BAD_REQUEST)?;
        let text = |key: &str| credentials.get(key).and_then(Value::as_str);
        if text("grant_type") != Some("refresh_token") {
            return Err(BAD_REQUEST);
        }
        let refresh_token = text("refresh_token").ok_or(BAD_REQUEST)?;
        let domain = text("domain").filter(|domain| !domain.is_empty());
        if !self.settings.refresh_tokens.contains(refresh_token)
            || domain != self.settings.domain.as_deref()
        {
            return Err(UNAUTHORIZED);
        }
        self.logins += 1;
        let jwt = format!("eyJhbGciOiJFUzI1NiJ9.session-{}.c2ln", self.logins);
        let end = Instant::now() + self.settings.token_life;
        self.tokens.insert(jwt.clone(), end);
        let document = json!({
            "jwt": jwt,
            "duration": self.settings.token_life.as_secs(),
            "token_type": self.settings.token_type,
            "client_id": "2f9b6d5e-0000-4000-8000-000000000001",
            "refresh_token_id": "2f9b6d5e-0000-4000-8000-000000000002",
            "refresh_token": refresh_token,
        });
        Ok(answer::json(StatusCode::OK, &document))
    }

    fn authorize(&self, request: &Request<Bytes>) -> Result<(), Refusal> {
        let header = request.headers().get(AUTHORIZATION);
        let header = header.and_then(|header| header.to_str().ok());
        let token = header.and_then(|header| header.strip_prefix("Bearer "));
        let end = token.and_then(|token| self.tokens.get(token));
        if end.is_some_and(|end| *end > Instant::now()) {
            Ok(())
        } else {
            Err(UNAUTHORIZED)
        }
    }

    fn create(&mut self, request: &Request<Bytes>) -> Answer {
        if self.settings.denied.contains("create") {
            return Err(FORBIDDEN);
        }
        let document = answer::document(request).ok_or(BAD_REQUEST)?;
        let text = |key: &str| {
            let text = document.get(key).and_then(Value::as_str);
            text.filter(|text| !text.is_empty()).ok_or(BAD_REQUEST)
        };
        let (data_type, name, material) = (text("dataType")?, text("name")?, text("material")?);
        if !["seed", "blob", "password"].contains(&data_type) {
            return Err(BAD_REQUEST);
        }
        if self.secrets.iter().any(|secret| secret.name == name) {
            return Err(CONFLICT);
        }
        let id = self.put(data_type, name, material);
        let document = json!({ "id": id, "name": name, "dataType": data_type, "version": 0 });
        Ok(answer::json(StatusCode::CREATED, &document))
    }

    /// What the account must not see is not there.
    fn find(&self, secret: &str, by_name: bool, action: &str) -> Result<usize, Refusal> {
        let is_it = |found: &Secret| *secret == *if by_name { &found.name } else { &found.id };
        let position = self.secrets.iter().position(is_it);
        position
            .filter(|_| !self.settings.denied.contains(action))
            .ok_or(NOT_FOUND)
    }

    fn export(&self, secret: &str, by_name: bool) -> Answer {
        let position = self.find(secret, by_name, "export")?;
        let secret = self.secrets.get(position).ok_or(NOT_FOUND)?;
        let document = json!({
            "id": secret.id,
            "name": secret.name,
            "dataType": secret.data_type,
            "material": secret.material,
        });
        Ok(answer::json(StatusCode::OK, &document))
    }

    fn delete(&mut self, secret: &str, by_name: bool) -> Answer {
        let position = self.find(secret, by_name, "delete")?;
        self.secrets.remove(position);
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    fn list(&mut self, query: &HashMap<String, String>) -> Answer {
        if self.settings.denied.contains("list") {
            return Err(FORBIDDEN);
        }
        let number = |key: &str, default: usize| match query.get(key) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| BAD_REQUEST),
        };
        let (limit, skip) = (number("limit", 10)?, number("skip", 0)?);
        let limit = limit.min(self.settings.page);
        let secrets = self.secrets.iter().skip(skip).take(limit);
        let resources: Vec<Value> = secrets
            .map(|secret| json!({ "id": secret.id, "name": secret.name }))
            .collect();
        let echo = if self.settings.echoes_skip { skip } else { 0 };
        let document = json!({
            "skip": echo,
            "limit": limit,
            "total": self.secrets.len(),
            "resources": resources,
        });
        if self.settings.deletes_while_listing > 0 && !self.secrets.is_empty() {
            self.settings.deletes_while_listing -= 1;
            self.secrets.remove(0);
        }
        Ok(answer::json(StatusCode::OK, &document))
    }

    fn put(&mut self, data_type: &str, name: &str, material: &str) -> String {
        self.made += 1;
        let id = format!("5ec2e700-0000-4000-8000-{:012}", self.made);
        self.secrets.push(Secret {
            id: id.clone(),
            name: name.to_owned(),
            data_type: data_type.to_owned(),
            material: material.to_owned(),
        });
        id
    }
}
