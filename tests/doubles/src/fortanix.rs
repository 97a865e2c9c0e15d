//! Fortanix SDKMS, as far as opaque security objects go (key stores, section 10).

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::answer;

/// What a test may change at any time.
#[derive(Clone, Debug)]
pub struct FortanixSettings {
    /// API keys that are accepted.
    pub keys: BTreeSet<String>,
    /// Groups of the app; the first one is its default.
    pub groups: Vec<String>,
    /// What the app must not do: `create`, `export`, `delete`, `list`.
    pub denied: BTreeSet<&'static str>,
    /// The most names in a page, whatever was asked for.
    pub page: usize,
    /// Whether a list always begins at its beginning.
    pub ignores_start: bool,
    /// Whether a page begins with the name it was asked to start after.
    pub includes_start: bool,
    /// Whether errors are plain text.
    pub speaks_text: bool,
}

/// The service; clones are the same one.
#[derive(Clone)]
pub struct Fortanix(Arc<Mutex<State>>);

struct State {
    settings: FortanixSettings,
    /// Those of sessions.
    tokens: HashSet<String>,
    sessions: usize,
    objects: BTreeMap<String, Object>,
    made: usize,
}

#[derive(Clone)]
struct Object {
    kid: String,
    group: String,
    operations: Vec<String>,
    value: String,
    enabled: bool,
}

type Answer = Result<Response<Bytes>, Refusal>;

/// An error: status and message.
struct Refusal(StatusCode, &'static str);

const UNAUTHORIZED: Refusal = Refusal(StatusCode::UNAUTHORIZED, "invalid credentials");
const FORBIDDEN: Refusal = Refusal(
    StatusCode::FORBIDDEN,
    "the app is not allowed to perform this operation",
);
const NOT_FOUND: Refusal = Refusal(StatusCode::NOT_FOUND, "sobject does not exist");
const CONFLICT: Refusal = Refusal(StatusCode::CONFLICT, "sobject already exists");
const NO_ROUTE: Refusal = Refusal(StatusCode::NOT_FOUND, "no such API");
const BAD_REQUEST: Refusal = Refusal(StatusCode::BAD_REQUEST, "invalid request");

// === impl FortanixSettings ===

impl Default for FortanixSettings {
    fn default() -> Self {
        let key = STANDARD.encode("0f1e2d3c-0000-4000-8000-000000000001:s3cr3t-0f-the-4pp");
        Self {
            keys: [key].into(),
            groups: vec!["ce08d547-2a82-411e-ae2d-83655a4b7617".into()],
            denied: BTreeSet::new(),
            page: 100,
            ignores_start: false,
            includes_start: false,
            speaks_text: false,
        }
    }
}

// === impl Fortanix ===

impl Fortanix {
    /// A service without security objects.
    #[must_use]
    pub fn new(settings: FortanixSettings) -> Self {
        Self(Arc::new(Mutex::new(State {
            settings,
            tokens: HashSet::new(),
            sessions: 0,
            objects: BTreeMap::new(),
            made: 0,
        })))
    }

    /// Answers a request.
    #[must_use]
    pub fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let mut state = self.state();
        match state.answer(request) {
            Ok(response) => response,
            Err(Refusal(status, message)) if state.settings.speaks_text => {
                answer::text(status, message)
            }
            Err(Refusal(status, message)) => answer::json(status, &json!({ "message": message })),
        }
    }

    /// Changes the settings.
    pub fn set(&self, change: impl FnOnce(&mut FortanixSettings)) {
        change(&mut self.state().settings);
    }

    /// Sessions that were begun and not ended.
    #[must_use]
    pub fn open_sessions(&self) -> usize {
        self.state().tokens.len()
    }

    /// Group and value of a security object, as the service has them.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<(String, String)> {
        let state = self.state();
        let object = state.objects.get(name)?;
        Some((object.group.clone(), object.value.clone()))
    }

    /// Stores a security object the way an operator would.
    pub fn put_object(&self, name: &str, value: &str) {
        let mut state = self.state();
        let group = state.settings.groups.first().cloned().unwrap_or_default();
        state.put(name, group, vec!["EXPORT".into()], value.into());
    }

    /// Enables or disables a security object.
    pub fn enable(&self, name: &str, enabled: bool) {
        if let Some(object) = self.state().objects.get_mut(name) {
            object.enabled = enabled;
        }
    }

    /// Removes all security objects.
    pub fn clear(&self) {
        self.state().objects.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    fn answer(&mut self, request: &Request<Bytes>) -> Answer {
        let path = request.uri().path();
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (request.method().as_str(), parts.as_slice()) {
            ("GET", [""]) => Ok(answer::html(StatusCode::OK, "<html>Fortanix</html>")),
            ("GET", ["sys", "v1", "health"]) => Ok(answer::empty(StatusCode::NO_CONTENT)),
            ("POST", ["sys", "v1", "session", "auth"]) => self.begin_session(request),
            ("POST", ["sys", "v1", "session", "terminate"]) => self.end_session(request),
            (method, ["crypto", "v1", "keys", rest @ ..]) => {
                self.authorize(request)?;
                match (method, rest) {
                    ("PUT", []) => self.create(request),
                    ("GET", []) => self.list(request),
                    ("POST", ["export"]) => self.export(request),
                    ("DELETE", [kid]) => self.delete(kid),
                    _ => Err(NO_ROUTE),
                }
            }
            _ => Err(NO_ROUTE),
        }
    }

    fn authorize(&self, request: &Request<Bytes>) -> Result<(), Refusal> {
        let key = credential(request, "Basic ").ok_or(UNAUTHORIZED)?;
        if self.settings.keys.contains(key) {
            Ok(())
        } else {
            Err(UNAUTHORIZED)
        }
    }

    fn begin_session(&mut self, request: &Request<Bytes>) -> Answer {
        self.authorize(request)?;
        self.sessions += 1;
        let token = format!("sdkms-session-{}", self.sessions);
        self.tokens.insert(token.clone());
        let document = json!({
            "token_type": "Bearer",
            "expires_in": 600,
            "access_token": token,
            "entity_id": "0f1e2d3c-0000-4000-8000-000000000001",
        });
        Ok(answer::json(StatusCode::OK, &document))
    }

    fn end_session(&mut self, request: &Request<Bytes>) -> Answer {
        let token = credential(request, "Bearer ").ok_or(UNAUTHORIZED)?;
        if self.tokens.remove(token) {
            Ok(answer::empty(StatusCode::NO_CONTENT))
        } else {
            Err(UNAUTHORIZED)
        }
    }

    fn create(&mut self, request: &Request<Bytes>) -> Answer {
        self.allowed("create")?;
        let document = answer::document(request).ok_or(BAD_REQUEST)?;
        let text = |key: &str| document.get(key).and_then(Value::as_str);
        let name = text("name")
            .filter(|name| !name.is_empty())
            .ok_or(BAD_REQUEST)?;
        let value = text("value").ok_or(BAD_REQUEST)?;
        if text("obj_type") != Some("OPAQUE") || STANDARD.decode(value).is_err() {
            return Err(BAD_REQUEST);
        }
        if document.get("enabled") != Some(&Value::Bool(true)) {
            return Err(BAD_REQUEST);
        }
        let operations = document.get("key_ops").and_then(Value::as_array);
        let operations = operations.ok_or(BAD_REQUEST)?;
        let operations = operations.iter().filter_map(Value::as_str);
        let group = match text("group_id") {
            None => self.settings.groups.first(),
            Some(id) => self.settings.groups.iter().find(|group| *group == id),
        };
        let group = group.ok_or(FORBIDDEN)?.clone();
        if self.objects.contains_key(name) {
            return Err(CONFLICT);
        }
        let operations = operations.map(str::to_owned).collect();
        let object = self.put(name, group, operations, value.to_owned());
        Ok(answer::json(StatusCode::CREATED, &object.describe(name)))
    }

    fn export(&self, request: &Request<Bytes>) -> Answer {
        self.allowed("export")?;
        let document = answer::document(request).ok_or(BAD_REQUEST)?;
        let name = document.get("name").and_then(Value::as_str);
        let name = name.ok_or(BAD_REQUEST)?;
        let object = self.objects.get(name).ok_or(NOT_FOUND)?;
        if !object
            .operations
            .iter()
            .any(|operation| operation == "EXPORT")
        {
            return Err(FORBIDDEN);
        }
        let mut description = object.describe(name);
        if let Some(members) = description.as_object_mut() {
            members.insert("value".to_owned(), json!(object.value));
        }
        Ok(answer::json(StatusCode::OK, &description))
    }

    fn delete(&mut self, kid: &str) -> Answer {
        self.allowed("delete")?;
        let mut objects = self.objects.iter();
        let found = objects.find(|(_, object)| object.kid == kid);
        let name = found.ok_or(NOT_FOUND)?.0.clone();
        self.objects.remove(&name);
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    fn list(&self, request: &Request<Bytes>) -> Answer {
        self.allowed("list")?;
        let query = answer::query(request);
        let limit = match query.get("limit") {
            None => self.settings.page,
            Some(limit) => limit.parse().map_err(|_| BAD_REQUEST)?,
        };
        let start = match query.get("start") {
            Some(start) if !self.settings.ignores_start => start.as_str(),
            _ => "",
        };
        let includes = self.settings.includes_start;
        let after = |name: &str| name > start || (includes && name == start);
        let mut names: Vec<_> = self
            .objects
            .iter()
            .filter(|(name, _)| start.is_empty() || after(name))
            .take(limit.min(self.settings.page))
            .collect();
        // By age, unless another order is asked for.
        if query.get("sort").map(String::as_str) != Some("name:asc") {
            names.sort_by_key(|(_, object)| object.kid.clone());
        }
        let names = names.iter().map(|(name, object)| object.describe(name));
        Ok(answer::json(StatusCode::OK, &names.collect()))
    }

    fn allowed(&self, action: &str) -> Result<(), Refusal> {
        if self.settings.denied.contains(action) {
            Err(FORBIDDEN)
        } else {
            Ok(())
        }
    }

    fn put(&mut self, name: &str, group: String, operations: Vec<String>, value: String) -> Object {
        self.made += 1;
        let object = Object {
            kid: format!("0b1ec700-0000-4000-8000-{:012}", self.made),
            group,
            operations,
            value,
            enabled: true,
        };
        self.objects.insert(name.to_owned(), object.clone());
        object
    }
}

// === impl Object ===

impl Object {
    fn describe(&self, name: &str) -> Value {
        json!({
            "kid": self.kid,
            "name": name,
            "obj_type": "OPAQUE",
            "group_id": self.group,
            "key_ops": self.operations,
            "enabled": self.enabled,
        })
    }
}

fn credential<'r>(request: &'r Request<Bytes>, scheme: &str) -> Option<&'r str> {
    let header = request.headers().get(AUTHORIZATION)?;
    header.to_str().ok()?.strip_prefix(scheme)
}
