use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, Response, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::failure::{Answer, Failure, no_content, respond};
use super::settings::AzureSettings;
use super::tokens::pairs;

/// The versions of the API that the service knows.
const API_VERSIONS: [&str; 9] = [
    "7.0",
    "7.1",
    "7.2",
    "7.3",
    "7.4",
    "7.5",
    "7.6",
    "2016-10-01",
    "2025-07-01",
];

/// The most bytes of a value.
const MAX_VALUE: usize = 25 * 1024;

/// The most entries of a page, whatever was asked for.
const MAX_RESULTS: usize = 25;

/// A version of a secret.
#[derive(Clone, Debug)]
pub struct AzureVersion {
    /// 32 hexadecimal digits.
    pub id: String,
    /// What it holds.
    pub value: String,
    /// When it was written, in seconds since 1970.
    pub created: i64,
    /// Whether it may be read.
    pub enabled: bool,
    /// Before this second it must not be used.
    pub not_before: Option<i64>,
    /// From this second on it must not be used.
    pub expires: Option<i64>,
    seen_from: Instant,
}

/// The secrets of a vault, by their names in lower case: upper and lower case are one.
#[derive(Default)]
pub(super) struct Vault {
    secrets: BTreeMap<String, Secret>,
    written: u64,
}

struct Secret {
    /// As it was first written.
    name: String,
    state: State,
    versions: Vec<AzureVersion>,
}

#[derive(Clone, Copy)]
enum State {
    Active,
    /// Deleted but recoverable, after so many polls.
    Deleted(usize),
    /// Purged, but the name is taken for so many polls.
    Purged(usize),
}

// === impl Vault ===

impl Vault {
    pub(super) fn put(&mut self, name: &str, value: &str) {
        self.write(name, value, &AzureSettings::default());
    }

    pub(super) fn all_versions(&mut self, name: &str) -> &mut Vec<AzureVersion> {
        &mut self.entry(name).versions
    }

    pub(super) fn versions(&self, name: &str) -> Vec<AzureVersion> {
        let secret = self.secrets.get(&name.to_ascii_lowercase());
        secret
            .filter(|secret| matches!(secret.state, State::Active))
            .map_or_else(Vec::new, |secret| secret.versions.clone())
    }

    pub(super) fn is_deleted(&self, name: &str) -> bool {
        let secret = self.secrets.get(&name.to_ascii_lowercase());
        secret.is_some_and(|secret| matches!(secret.state, State::Deleted(_)))
    }

    pub(super) fn soft_delete(&mut self, name: &str, polls: usize) {
        self.entry(name).state = State::Deleted(polls);
    }

    pub(super) fn answer(
        &mut self,
        request: &Request<Bytes>,
        settings: &mut AzureSettings,
    ) -> Answer {
        if settings.throttled > 0 {
            settings.throttled -= 1;
            let message = "Request was not processed because too many requests were received. \
                           Reason: VaultRequestTypeLimitReached";
            let failure = Failure::vault(429, "Throttled", message, None);
            return Err(match settings.retry_after {
                Some(pause) => failure.with(header::RETRY_AFTER, pause),
                None => failure,
            });
        }
        let query = pairs(request.uri().query().unwrap_or_default());
        let version = query.get("api-version").map(String::as_str);
        if version.is_none_or(|version| !API_VERSIONS.contains(&version)) {
            let message = "Provide a valid api-version in the query of the URI.";
            return Err(Failure::bad_parameter(message));
        }
        let base = base(request);
        let path: Vec<&str> = request
            .uri()
            .path()
            .split('/')
            .filter(|part| !part.is_empty())
            .collect();
        let needs = match (request.method(), path.as_slice()) {
            (&Method::GET, ["secrets"] | ["secrets", _, "versions"]) => "list",
            (&Method::GET, ["secrets", ..]) => "get",
            (&Method::PUT, ["secrets", _]) => "set",
            (&Method::DELETE, ["secrets", _]) => "delete",
            (&Method::DELETE, ["deletedsecrets", _]) => "purge",
            (_, ["secrets" | "deletedsecrets", ..]) => {
                let message = "The method is not supported.";
                return Err(Failure::vault(405, "MethodNotAllowed", message, None));
            }
            _ => return Err(Failure::vault(404, "NotFound", "No such path.", None)),
        };
        if settings.denied.contains(needs) {
            let message = format!(
                "Caller is not authorized to perform action on resource.\r\nAction: \
                 'Microsoft.KeyVault/vaults/secrets/{needs}/action'"
            );
            return Err(Failure::forbidden(settings.denial, &message));
        }
        if let [_, name, ..] = path.as_slice() {
            check_name(name)?;
        }
        match (request.method().as_str(), path.as_slice()) {
            ("GET", ["secrets"]) => Ok(self.list(&base, &query, settings)),
            ("GET", ["secrets", name, "versions"]) => {
                self.list_versions(&base, name, &query, settings)
            }
            ("GET", ["secrets", name]) => self.read(&base, name, None),
            ("GET", ["secrets", name, version]) => self.read(&base, name, Some(version)),
            ("PUT", ["secrets", name]) => self.set(&base, name, request, settings),
            ("DELETE", ["secrets", name]) => self.delete(&base, name, settings),
            ("DELETE", ["deletedsecrets", name]) => self.purge(name, settings),
            _ => Err(Failure::vault(404, "NotFound", "No such path.", None)),
        }
    }

    fn set(
        &mut self,
        base: &str,
        name: &str,
        request: &Request<Bytes>,
        settings: &AzureSettings,
    ) -> Answer {
        let kind = request.headers().get(header::CONTENT_TYPE);
        if kind.is_none_or(|kind| !kind.as_bytes().starts_with(b"application/json")) {
            let message = "The content type is not application/json.";
            return Err(Failure::vault(415, "UnsupportedMediaType", message, None));
        }
        let body: Value = serde_json::from_slice(request.body())
            .map_err(|_| Failure::bad_parameter("The body is not JSON."))?;
        let value = body.get("value").and_then(Value::as_str);
        let value = value.ok_or_else(|| Failure::bad_parameter("Property value is missing."))?;
        if value.len() > MAX_VALUE {
            return Err(Failure::bad_parameter("The value is too long."));
        }
        let key = name.to_ascii_lowercase();
        if let Some(secret) = self.secrets.get_mut(&key) {
            match &mut secret.state {
                State::Active => {}
                State::Deleted(0) => {
                    let message = format!(
                        "Secret {name} is currently in a deleted but recoverable state, and its \
                         name cannot be reused; in this state, the secret can only be recovered \
                         or purged."
                    );
                    return Err(Failure::conflict("ObjectIsDeletedButRecoverable", &message));
                }
                State::Purged(0) => {
                    self.secrets.remove(&key);
                }
                State::Deleted(polls) | State::Purged(polls) => {
                    *polls -= 1;
                    return Err(being_deleted(name));
                }
            }
        }
        let version = self.write(name, value, settings);
        let mut document = bundle(base, &self.entry(name).name, &version);
        add(&mut document, "value", json!(version.value));
        Ok(respond(200, &document))
    }

    fn read(&self, base: &str, name: &str, version: Option<&str>) -> Answer {
        let secret = self.active(name)?;
        let mut seen = secret.seen();
        let version = match version {
            None => seen.last(),
            Some(id) => seen.find(|version| version.id == id),
        };
        let version = version.ok_or_else(|| Failure::not_found(name))?;
        if !version.enabled {
            let message = "Operation get is not allowed on a disabled secret.";
            return Err(Failure::forbidden("SecretDisabled", message));
        }
        let mut document = bundle(base, &secret.name, version);
        add(&mut document, "value", json!(version.value));
        Ok(respond(200, &document))
    }

    fn list(
        &self,
        base: &str,
        query: &HashMap<String, String>,
        settings: &AzureSettings,
    ) -> Response<Bytes> {
        let entries = self
            .secrets
            .values()
            .filter(|secret| matches!(secret.state, State::Active))
            .filter_map(|secret| {
                let version = secret.seen().last()?;
                let mut entry = bundle(base, &secret.name, version);
                add(
                    &mut entry,
                    "id",
                    json!(format!("{base}/secrets/{}", secret.name)),
                );
                Some(entry)
            })
            .collect();
        page(&format!("{base}/secrets"), entries, query, settings)
    }

    fn list_versions(
        &self,
        base: &str,
        name: &str,
        query: &HashMap<String, String>,
        settings: &AzureSettings,
    ) -> Answer {
        let (name, mut versions) = match self.active(name) {
            Ok(secret) => (secret.name.as_str(), secret.seen().collect()),
            Err(failure) if settings.absent_is_404 => return Err(failure),
            Err(_) => (name, Vec::new()),
        };
        // No order is promised.
        versions.sort_by(|a, b| a.id.cmp(&b.id));
        let entries = versions
            .into_iter()
            .map(|version| bundle(base, name, version))
            .collect();
        let path = format!("{base}/secrets/{name}/versions");
        Ok(page(&path, entries, query, settings))
    }

    fn delete(&mut self, base: &str, name: &str, settings: &AzureSettings) -> Answer {
        let secret = self.secrets.get_mut(&name.to_ascii_lowercase());
        let secret = secret.ok_or_else(|| Failure::not_found(name))?;
        match secret.state {
            State::Active => {}
            State::Deleted(polls) | State::Purged(polls) if polls > 0 => {
                return Err(being_deleted(name));
            }
            _ => return Err(Failure::not_found(name)),
        }
        secret.state = State::Deleted(settings.polls_to_delete);
        let version = secret.versions.last();
        let version = version.ok_or_else(|| Failure::not_found(name))?;
        let mut document = bundle(base, &secret.name, version);
        let now = Timestamp::now().as_second();
        add(
            &mut document,
            "recoveryId",
            json!(format!("{base}/deletedsecrets/{name}")),
        );
        add(&mut document, "deletedDate", json!(now));
        add(
            &mut document,
            "scheduledPurgeDate",
            json!(now + 90 * 86_400),
        );
        Ok(respond(200, &document))
    }

    fn purge(&mut self, name: &str, settings: &AzureSettings) -> Answer {
        let key = name.to_ascii_lowercase();
        let secret = self.secrets.get_mut(&key);
        let secret = secret.ok_or_else(|| Failure::not_found(name))?;
        match &mut secret.state {
            State::Deleted(0) => {}
            State::Deleted(polls) => {
                *polls -= 1;
                return Err(being_deleted(name));
            }
            State::Active | State::Purged(_) => return Err(Failure::not_found(name)),
        }
        if settings.polls_to_purge > 0 {
            secret.state = State::Purged(settings.polls_to_purge);
        } else {
            self.secrets.remove(&key);
        }
        Ok(no_content())
    }

    fn active(&self, name: &str) -> Result<&Secret, Failure> {
        self.secrets
            .get(&name.to_ascii_lowercase())
            .filter(|secret| matches!(secret.state, State::Active))
            .filter(|secret| secret.seen().next().is_some())
            .ok_or_else(|| Failure::not_found(name))
    }

    fn entry(&mut self, name: &str) -> &mut Secret {
        let secret = Secret {
            name: name.to_owned(),
            state: State::Active,
            versions: Vec::new(),
        };
        self.secrets
            .entry(name.to_ascii_lowercase())
            .or_insert(secret)
    }

    fn write(&mut self, name: &str, value: &str, settings: &AzureSettings) -> AzureVersion {
        self.written += 1;
        let version = AzureVersion {
            id: id(self.written),
            value: value.to_owned(),
            created: Timestamp::now().as_second(),
            enabled: true,
            not_before: None,
            expires: None,
            seen_from: Instant::now() + settings.lag,
        };
        self.entry(name).versions.push(version.clone());
        version
    }
}

// === impl Secret ===

impl Secret {
    fn seen(&self) -> impl Iterator<Item = &AzureVersion> {
        let now = Instant::now();
        self.versions
            .iter()
            .filter(move |version| version.seen_from <= now)
    }
}

/// One page of a list.
fn page(
    path: &str,
    entries: Vec<Value>,
    query: &HashMap<String, String>,
    settings: &AzureSettings,
) -> Response<Bytes> {
    let asked = query.get("maxresults").and_then(|max| max.parse().ok());
    let size = asked.unwrap_or(MAX_RESULTS).min(settings.page).max(1);
    let start = query.get("$skiptoken").and_then(|token| {
        let place = STANDARD.decode(token).ok()?;
        String::from_utf8(place).ok()?.parse::<usize>().ok()
    });
    let start = start.unwrap_or_default();
    let next = match start + size {
        _ if settings.repeats_pages => Some(start),
        next => (next < entries.len()).then_some(next),
    };
    let next = next.map(|next| {
        let token = STANDARD.encode(next.to_string()).replace('=', "%3D");
        format!("{path}?api-version=7.5&$skiptoken={token}&maxresults={size}")
    });
    let entries: Vec<Value> = entries.into_iter().skip(start).take(size).collect();
    respond(200, &json!({ "value": entries, "nextLink": next }))
}

/// What is told about a version besides its value.
fn bundle(base: &str, name: &str, version: &AzureVersion) -> Value {
    let mut attributes = json!({
        "enabled": version.enabled,
        "created": version.created,
        "updated": version.created,
        "recoveryLevel": "Recoverable+Purgeable",
        "recoverableDays": 90,
    });
    if let Some(start) = version.not_before {
        add(&mut attributes, "nbf", json!(start));
    }
    if let Some(end) = version.expires {
        add(&mut attributes, "exp", json!(end));
    }
    json!({ "id": format!("{base}/secrets/{name}/{}", version.id), "attributes": attributes })
}

fn add(document: &mut Value, key: &str, value: Value) {
    if let Some(document) = document.as_object_mut() {
        document.insert(key.to_owned(), value);
    }
}

/// Under which URL the client knows the vault.
fn base(request: &Request<Bytes>) -> String {
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    format!("https://{}", authority.or(host).unwrap_or("localhost"))
}

fn check_name(name: &str) -> Result<(), Failure> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if name.len() > 127 || !name.bytes().all(allowed) {
        let message = format!("The request URI contains an invalid name: {name}");
        return Err(Failure::bad_parameter(&message));
    }
    Ok(())
}

fn being_deleted(name: &str) -> Failure {
    let message = format!("Secret {name} is currently being deleted.");
    Failure::conflict("ObjectIsBeingDeleted", &message)
}

/// 32 hexadecimal digits whose order is not that of the numbers (SplitMix64).
fn id(number: u64) -> String {
    let mix = |seed: u64| {
        let mut z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    format!("{:016x}{:016x}", mix(number), mix(!number))
}
