//! HashiCorp Vault and OpenBao: logins, tokens, K/V 1 and 2, transit, health.
//!
//! Status codes and bodies are those observed on OpenBao 2.7.2.

mod engines;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use self::engines::{KvV1, KvV2, Transit};

/// A server with the mounts `kv1` (K/V version 1), `kv` (version 2) and `transit` in
/// every namespace.
#[derive(Clone)]
pub struct Vault(Arc<Mutex<State>>);

/// What a test may change at any time.
#[derive(Clone, Debug)]
pub struct VaultSettings {
    /// The only role of the login method at `auth/approle`.
    pub role_id: String,
    /// Its only secret.
    pub secret_id: String,
    /// The only JWT that the method at `auth/kubernetes` takes, for the role `kes`.
    pub jwt: String,
    /// The namespace that the login methods are in.
    pub login_namespace: Option<String>,
    /// What a token is granted at a login; zero for ever.
    pub ttl: Duration,
    /// What it is granted at a renewal.
    pub renewed_ttl: Option<Duration>,
    /// Whether tokens can be renewed.
    pub renewable: bool,
    /// How long it takes until a new token is known.
    pub lag: Duration,
    /// Whether the policy of tokens allows to overwrite entries.
    pub may_update: bool,
    /// Paths that the policy does not allow, by a part of them.
    pub denied: Vec<String>,
    /// Whether the server has been set up.
    pub initialized: bool,
    /// Whether it is sealed.
    pub sealed: bool,
    /// Whether it is a standby.
    pub standby: bool,
}

struct State {
    settings: VaultSettings,
    tokens: HashMap<String, Token>,
    issued: u64,
    logins: u64,
    renewals: u64,
    namespaces: BTreeMap<String, Engines>,
}

#[derive(Clone, Copy)]
struct Token {
    known: Instant,
    /// `None` for ever.
    end: Option<Instant>,
}

#[derive(Default)]
struct Engines {
    v1: KvV1,
    v2: KvV2,
    transit: Transit,
}

/// Status and body; no body at all for 204.
type Answer = (StatusCode, Value);

// === impl VaultSettings ===

impl Default for VaultSettings {
    fn default() -> Self {
        Self {
            role_id: "role-of-kes".to_owned(),
            secret_id: "s3cret-0f-kes".to_owned(),
            jwt: "eyJhbGciOiJub25lIn0.e30.".to_owned(),
            login_namespace: None,
            ttl: Duration::from_secs(300),
            renewed_ttl: None,
            renewable: true,
            lag: Duration::ZERO,
            may_update: false,
            denied: Vec::new(),
            initialized: true,
            sealed: false,
            standby: false,
        }
    }
}

// === impl Vault ===

impl Vault {
    /// A server without entries.
    #[must_use]
    pub fn new(settings: VaultSettings) -> Self {
        Self(Arc::new(Mutex::new(State {
            settings,
            tokens: HashMap::new(),
            issued: 0,
            logins: 0,
            renewals: 0,
            namespaces: BTreeMap::new(),
        })))
    }

    /// Changes the settings.
    pub fn set(&self, change: impl FnOnce(&mut VaultSettings)) {
        change(&mut self.state().settings);
    }

    /// Ends all tokens.
    pub fn revoke_tokens(&self) {
        self.state().tokens.clear();
    }

    /// How many logins succeeded.
    #[must_use]
    pub fn logins(&self) -> u64 {
        self.state().logins
    }

    /// How many renewals succeeded.
    #[must_use]
    pub fn renewals(&self) -> u64 {
        self.state().renewals
    }

    /// The fields of an entry of `kv1`.
    #[must_use]
    pub fn v1_entry(&self, namespace: &str, path: &str) -> Option<Value> {
        self.state().engines(namespace).v1.entry(path)
    }

    /// Writes an entry of `kv1` by hand.
    pub fn put_v1(&self, namespace: &str, path: &str, fields: Value) {
        self.state().engines(namespace).v1.put(path, fields);
    }

    /// The fields of the newest version of an entry of `kv`.
    #[must_use]
    pub fn v2_entry(&self, namespace: &str, path: &str) -> Option<Value> {
        self.state().engines(namespace).v2.newest(path)
    }

    /// Writes a version of an entry of `kv` by hand.
    pub fn put_v2(&self, namespace: &str, path: &str, fields: Value) {
        self.state().engines(namespace).v2.put(path, fields);
    }

    /// Deletes the newest version of an entry of `kv`, and not its metadata.
    pub fn soft_delete(&self, namespace: &str, path: &str) {
        self.state().engines(namespace).v2.soft_delete(path);
    }

    /// Makes a new version of all transit keys.
    pub fn rotate(&self, namespace: &str) {
        self.state().engines(namespace).transit.rotate();
    }

    /// Answers a request.
    #[must_use]
    pub fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let (status, body) = self.state().answer(request);
        let body = match body {
            Value::Null => Bytes::new(),
            body => Bytes::from(body.to_string()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let json = http::HeaderValue::from_static("application/json");
        response
            .headers_mut()
            .insert(http::header::CONTENT_TYPE, json);
        response
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    fn engines(&mut self, namespace: &str) -> &mut Engines {
        self.namespaces.entry(namespace.to_owned()).or_default()
    }

    fn answer(&mut self, request: &Request<Bytes>) -> Answer {
        let header = |name| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let namespace = header("X-Vault-Namespace");
        let Some(path) = request.uri().path().strip_prefix("/v1/") else {
            return refusal(404, &[]);
        };
        if namespace == Some("") {
            return refusal(400, &["empty namespace header"]);
        }
        if path == "sys/health" {
            return match namespace {
                Some(_) => refusal(400, &["operation unavailable in namespaces"]),
                None => self.health(request.uri().query().unwrap_or_default()),
            };
        }
        if self.settings.sealed {
            return refusal(503, &["Vault is sealed"]);
        }
        let body = match request.body().as_ref() {
            [] => Value::Null,
            body => match serde_json::from_slice(body) {
                Ok(body) => body,
                Err(_) => return refusal(400, &["failed to decode JSON input"]),
            },
        };
        let writes = matches!(*request.method(), Method::PUT | Method::POST);
        if let Some(mount) = path
            .strip_prefix("auth/")
            .and_then(|path| path.strip_suffix("/login"))
            && writes
        {
            return self.log_in(namespace, mount, &body);
        }
        let token = header("X-Vault-Token").unwrap_or_default().to_owned();
        if !self.accepts(&token) {
            return refusal(403, &["permission denied"]);
        }
        if self
            .settings
            .denied
            .iter()
            .any(|denied| path.contains(denied))
        {
            return denied();
        }
        match path {
            "auth/token/renew-self" if writes => self.renew(&token),
            "auth/token/lookup-self" => success(json!({"policies": ["default", "kes"]})),
            _ => self.engine(namespace.unwrap_or_default(), path, request, &body),
        }
    }

    fn accepts(&self, token: &str) -> bool {
        let now = Instant::now();
        self.tokens
            .get(token)
            .is_some_and(|token| token.known <= now && token.end.is_none_or(|end| now < end))
    }

    fn health(&self, query: &str) -> Answer {
        let VaultSettings {
            initialized,
            sealed,
            standby,
            ..
        } = self.settings;
        let (code, name) = match (initialized, sealed, standby) {
            (false, _, _) => (501, "uninitcode="),
            (true, true, _) => (503, "sealedcode="),
            (true, false, true) => (429, "standbycode="),
            (true, false, false) => (200, "activecode="),
        };
        let code = query
            .split('&')
            .find_map(|item| item.strip_prefix(name)?.parse().ok())
            .unwrap_or(code);
        let body = json!({
            "initialized": initialized,
            "sealed": sealed || !initialized,
            "standby": standby || sealed,
            "performance_standby": false,
            "replication_performance_mode": "disabled",
            "replication_dr_mode": "disabled",
            "server_time_utc": 1_700_000_000,
            "version": "2.7.2",
        });
        (StatusCode::from_u16(code).unwrap_or_default(), body)
    }

    fn log_in(&mut self, namespace: Option<&str>, mount: &str, body: &Value) -> Answer {
        let settings = &self.settings;
        if namespace != settings.login_namespace.as_deref() {
            return refusal(403, &["permission denied"]);
        }
        let right = match mount {
            "approle" if body["secret_id"].is_null() => {
                return refusal(400, &["missing secret_id"]);
            }
            "approle" => {
                body["role_id"] == settings.role_id.as_str()
                    && body["secret_id"] == settings.secret_id.as_str()
            }
            "kubernetes" => body["role"] == "kes" && body["jwt"] == settings.jwt.as_str(),
            _ => return refusal(403, &["permission denied"]),
        };
        if !right {
            return refusal(400, &["invalid role or secret ID"]);
        }
        self.issued += 1;
        self.logins += 1;
        let token = format!("hvs.t0ken-{}", self.issued);
        self.grant(&token, self.settings.ttl)
    }

    fn renew(&mut self, token: &str) -> Answer {
        if !self.settings.renewable {
            return refusal(400, &["lease is not renewable"]);
        }
        self.renewals += 1;
        let settings = &self.settings;
        self.grant(token, settings.renewed_ttl.unwrap_or(settings.ttl))
    }

    fn grant(&mut self, token: &str, ttl: Duration) -> Answer {
        let now = Instant::now();
        let known = self
            .tokens
            .get(token)
            .map_or(now + self.settings.lag, |known| known.known);
        let end = (!ttl.is_zero()).then(|| now + ttl);
        self.tokens.insert(token.to_owned(), Token { known, end });
        let auth = json!({
            "client_token": token,
            "accessor": "accessor",
            "policies": ["default", "kes"],
            "token_policies": ["default", "kes"],
            "metadata": {"role_name": "kes-role"},
            "lease_duration": ttl.as_secs(),
            "renewable": self.settings.renewable,
            "entity_id": "entity",
            "token_type": "service",
            "orphan": true,
            "mfa_requirement": null,
            "num_uses": 0,
        });
        (StatusCode::OK, envelope("auth", auth))
    }

    fn engine(
        &mut self,
        namespace: &str,
        path: &str,
        request: &Request<Bytes>,
        body: &Value,
    ) -> Answer {
        let query = request.uri().query().unwrap_or_default();
        let operation = match (request.method().as_str(), query.contains("list=true")) {
            ("LIST", _) | ("GET", true) => Operation::List,
            ("GET", false) => Operation::Read,
            ("PUT" | "POST", _) => Operation::Write,
            ("DELETE", _) => Operation::Delete,
            _ => return refusal(405, &["unsupported operation"]),
        };
        let may_update = self.settings.may_update;
        let engines = self.engines(namespace);
        let (mount, rest) = path.split_once('/').unwrap_or((path, ""));
        match mount {
            "kv1" => engines.v1.answer(operation, rest, body, may_update),
            "kv" => engines.v2.answer(operation, rest, query, body, may_update),
            "transit" => engines.transit.answer(operation, rest, body),
            "sys" => match rest {
                "internal/ui/mounts/kv1" => success(json!({"type": "kv", "options": null})),
                "internal/ui/mounts/kv" => {
                    success(json!({"type": "kv", "options": {"version": "2"}}))
                }
                _ => denied(),
            },
            _ => {
                let reason = format!("no handler for route \"{path}\". route entry not found.");
                refusal(404, &[&reason])
            }
        }
    }
}

/// What a request does, whatever its method was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Read,
    List,
    Write,
    Delete,
}

/// What answers are wrapped in, with one of its parts.
fn envelope(part: &str, value: Value) -> Value {
    let mut envelope = json!({
        "request_id": "5cdcd4d8-1b1d-4b1a-9a40-9b1e3a7c7a10",
        "lease_id": "",
        "renewable": false,
        "lease_duration": 0,
        "data": null,
        "wrap_info": null,
        "warnings": null,
        "auth": null,
    });
    if let Some(parts) = envelope.as_object_mut() {
        parts.insert(part.to_owned(), value);
    }
    envelope
}

fn success(data: Value) -> Answer {
    (StatusCode::OK, envelope("data", data))
}

fn no_content() -> Answer {
    (StatusCode::NO_CONTENT, Value::Null)
}

fn refusal(status: u16, errors: &[&str]) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or_default();
    (status, json!({"errors": errors}))
}

/// The policy does not allow it.
fn denied() -> Answer {
    refusal(403, &["1 error occurred:\n\t* permission denied\n\n"])
}

/// The names directly in a folder; those of folders end in a slash.
fn names<'k>(keys: impl Iterator<Item = &'k String>, folder: &str) -> Answer {
    let folder = match folder.trim_end_matches('/') {
        "" => String::new(),
        folder => format!("{folder}/"),
    };
    let mut names: Vec<&str> = keys
        .filter_map(|key| key.strip_prefix(&folder))
        .map(|name| name.split_inclusive('/').next().unwrap_or_default())
        .collect();
    names.dedup();
    match names.is_empty() {
        true => refusal(404, &[]),
        false => success(json!({"keys": names})),
    }
}

fn fields(body: &Value) -> Option<Map<String, Value>> {
    body.as_object().cloned()
}
