use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::tokens::Tokens;
use super::{Answer, Asked, GcpAccount, GcpSettings, response};

/// What names in answers have in place of the project's id.
const NUMBER: &str = "482913337105";

/// The most bytes of a version.
const LONGEST_DATA: usize = 65_536;

/// How many secrets a page has when nothing is asked for.
const DEFAULT_PAGE: usize = 100;

/// What a project holds.
pub(super) struct Project {
    pub(super) settings: GcpSettings,
    pub(super) account: GcpAccount,
    pub(super) tokens: Tokens,
    secrets: BTreeMap<String, Secret>,
    /// How many secrets were ever created.
    created: u64,
}

struct Secret {
    /// The place among all secrets ever created.
    number: u64,
    created: Timestamp,
    versions: Vec<Version>,
}

/// A version; its data is gone when it is destroyed.
struct Version(Option<Vec<u8>>);

// === impl Project ===

impl Project {
    pub(super) fn new(settings: GcpSettings, account: GcpAccount) -> Self {
        Self {
            settings,
            account,
            tokens: Tokens::default(),
            secrets: BTreeMap::new(),
            created: 0,
        }
    }

    pub(super) fn answer(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        response(self.dispatch(&Asked::new(request)))
    }

    pub(super) fn data(&self, name: &str, version: usize) -> Option<Vec<u8>> {
        let versions = &self.secrets.get(name)?.versions;
        versions.get(version.checked_sub(1)?)?.0.clone()
    }

    pub(super) fn versions(&self, name: &str) -> Option<usize> {
        Some(self.secrets.get(name)?.versions.len())
    }

    pub(super) fn put(&mut self, name: &str, data: Option<&[u8]>) {
        self.created += 1;
        let secret = Secret {
            number: self.created,
            created: Timestamp::now(),
            versions: Vec::new(),
        };
        self.secrets.insert(name.to_owned(), secret);
        if let Some(data) = data {
            self.add_version(name, data);
        }
    }

    pub(super) fn add_version(&mut self, name: &str, data: &[u8]) {
        if let Some(secret) = self.secrets.get_mut(name) {
            secret.versions.push(Version(Some(data.to_vec())));
        }
    }

    pub(super) fn destroy(&mut self, name: &str, version: usize) {
        let versions = self
            .secrets
            .get_mut(name)
            .map(|secret| &mut secret.versions);
        let version = version.checked_sub(1);
        if let Some(version) = versions.zip(version).and_then(|(all, at)| all.get_mut(at)) {
            version.0 = None;
        }
    }

    pub(super) fn clear(&mut self) {
        self.secrets.clear();
    }

    fn dispatch(&mut self, asked: &Asked<'_>) -> Answer {
        let life = self.settings.token_life;
        let known = self.settings.enabled;
        match (asked.request.method(), asked.path.as_str()) {
            (&Method::POST, "/token" | "/v1/token") if !known => {
                Err(Failure::OAuth("invalid_grant", "Account has been deleted"))
            }
            (&Method::POST, "/token") => self.tokens.refresh(asked, life),
            (&Method::POST, "/v1/token") => self.tokens.exchange(asked, life),
            (&Method::GET, path) if path.starts_with("/computeMetadata/v1/") => {
                match path.strip_prefix("/computeMetadata/v1/instance/service-accounts/") {
                    Some("default/token") => self.tokens.of_machine(asked, life),
                    _ => Err(Failure::NoSuchUrl),
                }
            }
            (method, path) => {
                let path = path
                    .strip_prefix("/v1/projects/")
                    .ok_or(Failure::NoSuchUrl)?;
                self.authenticate(asked)?;
                let (project, rest) = path.split_once('/').ok_or(Failure::NoSuchUrl)?;
                let here = project == self.settings.project_id || project == NUMBER;
                self.secret_manager(asked, method, rest, here)
            }
        }
    }

    /// Who asks must be known before anything else is looked at.
    fn authenticate(&self, asked: &Asked<'_>) -> Result<(), Failure> {
        let expected = "Expected OAuth 2 access token, login cookie or other valid \
                        authentication credential.";
        let Some(header) = asked.header("authorization") else {
            return Err(Failure::unauthenticated(format!(
                "Request is missing required authentication credential. {expected}"
            )));
        };
        let refused = || {
            Failure::unauthenticated(format!(
                "Request had invalid authentication credentials. {expected}"
            ))
        };
        let token = header.strip_prefix("Bearer ").ok_or_else(refused)?;
        if !self.settings.enabled {
            return Err(refused());
        }
        if self.tokens.is_valid(token) {
            return Ok(());
        }
        match self.account.check(token, Timestamp::now()) {
            Ok(()) => Ok(()),
            Err("scope or audience") => Err(Failure::denied(
                "Request had insufficient authentication scopes.",
            )),
            Err(_) => Err(refused()),
        }
    }

    fn secret_manager(
        &mut self,
        asked: &Asked<'_>,
        method: &Method,
        rest: &str,
        here: bool,
    ) -> Answer {
        if !self.settings.api_enabled {
            return Err(Failure::denied(format!(
                "Secret Manager API has not been used in project {NUMBER} before or it is \
                 disabled. Enable it by visiting https://console.developers.google.com/apis/ then \
                 retry."
            )));
        }
        let allowed = |permission: &'static str, resource: String| {
            if here && !self.settings.denied.contains(&permission) {
                return Ok(());
            }
            Err(Failure::denied(format!(
                "Permission '{permission}' denied for resource '{resource}' (or it may not exist)."
            )))
        };
        let project = format!("projects/{}", self.settings.project_id);
        if rest == "secrets" {
            return match *method {
                Method::POST => {
                    allowed("secretmanager.secrets.create", project)?;
                    self.create(asked)
                }
                Method::GET => {
                    allowed("secretmanager.secrets.list", project)?;
                    self.list(asked)
                }
                _ => Err(Failure::NoSuchUrl),
            };
        }
        let rest = rest.strip_prefix("secrets/").ok_or(Failure::NoSuchUrl)?;
        let resource = |name: &str| format!("projects/{NUMBER}/secrets/{name}");
        let (name, rest) = rest
            .find([':', '/'])
            .map_or((rest, ""), |at| rest.split_at(at));
        match (method, rest) {
            (&Method::POST, ":addVersion") => {
                allowed("secretmanager.versions.add", resource(name))?;
                self.add(asked, name)
            }
            (&Method::GET, rest) => {
                let version = rest
                    .strip_prefix("/versions/")
                    .and_then(|rest| rest.strip_suffix(":access"))
                    .ok_or(Failure::NoSuchUrl)?;
                allowed(
                    "secretmanager.versions.access",
                    format!("{}/versions/{version}", resource(name)),
                )?;
                self.access(name, version)
            }
            (&Method::DELETE, "") => {
                allowed("secretmanager.secrets.delete", resource(name))?;
                self.delete(asked, name)
            }
            _ => Err(Failure::NoSuchUrl),
        }
    }

    fn create(&mut self, asked: &Asked<'_>) -> Answer {
        let name = asked.query("secretId").unwrap_or_default();
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || name.len() > 255 || !name.chars().all(valid) {
            return Err(Failure::invalid(format!(
                "Secret ID [{name}] must match the expected format [[a-zA-Z_0-9]+]."
            )));
        }
        let body = body(asked, &["replication", "labels", "annotations"])?;
        if !body
            .pointer("/replication/automatic")
            .is_some_and(Value::is_object)
        {
            return Err(Failure::invalid("Secret.replication must be provided."));
        }
        if self.secrets.contains_key(&name) {
            return Err(Failure::exists(format!(
                "Secret [projects/{NUMBER}/secrets/{name}] already exists."
            )));
        }
        self.put(&name, None);
        self.describe(&name)
    }

    fn list(&self, asked: &Asked<'_>) -> Answer {
        let size = match asked.query("pageSize").unwrap_or_default().as_str() {
            "" | "0" => DEFAULT_PAGE,
            text => text
                .parse()
                .map_err(|_| Failure::invalid("page_size must not be negative"))?,
        };
        let size = size.min(self.settings.page_size);
        let before = match asked.query("pageToken").unwrap_or_default().as_str() {
            "" => u64::MAX,
            token => STANDARD
                .decode(token)
                .ok()
                .and_then(|token| String::from_utf8(token).ok())
                .and_then(|token| token.strip_prefix("before:")?.parse().ok())
                .ok_or_else(|| Failure::invalid("The page token is invalid."))?,
        };
        // The newest come first.
        let mut all: Vec<_> = self.secrets.iter().collect();
        all.retain(|(_, secret)| secret.number < before);
        all.sort_by_key(|(_, secret)| std::cmp::Reverse(secret.number));
        let more = all.len() > size;
        all.truncate(size);
        let mut answer = Map::from_iter([("totalSize".to_owned(), self.secrets.len().into())]);
        if !all.is_empty() {
            let names = all.iter().map(|(name, _)| self.describe(name));
            let secrets = names.collect::<Result<Value, _>>()?;
            answer.insert("secrets".into(), secrets);
        }
        if let Some((_, last)) = all.last().filter(|_| more) {
            let token = format!("before:{}", last.number);
            answer.insert("nextPageToken".into(), STANDARD.encode(token).into());
        }
        Ok(answer.into())
    }

    fn add(&mut self, asked: &Asked<'_>, name: &str) -> Answer {
        let body = body(asked, &["payload"])?;
        let data = body.pointer("/payload/data").and_then(Value::as_str);
        let data = data
            .and_then(|data| STANDARD.decode(data).ok())
            .ok_or_else(|| Failure::invalid("SecretPayload.data must be provided."))?;
        if data.len() > LONGEST_DATA {
            return Err(Failure::invalid("The payload is longer than 65536 bytes."));
        }
        if !self.secrets.contains_key(name) {
            return Err(absent(name));
        }
        self.add_version(name, &data);
        let number = self.versions(name).unwrap_or_default();
        Ok(json!({
            "name": format!("projects/{NUMBER}/secrets/{name}/versions/{number}"),
            "createTime": Timestamp::now().to_string(),
            "state": "ENABLED",
            "replicationStatus": {"automatic": {}},
            "etag": "\"1620d0b6f1e4c3\"",
        }))
    }

    fn access(&self, name: &str, version: &str) -> Answer {
        let secret = self.secrets.get(name).ok_or_else(|| absent(name))?;
        if secret.versions.is_empty() {
            return Err(absent(name));
        }
        let full = format!("projects/{NUMBER}/secrets/{name}/versions/{version}");
        let number = version.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        let version = number.and_then(|number| secret.versions.get(number));
        let version = version
            .ok_or_else(|| Failure::not_found(format!("Secret Version [{full}] not found.")))?;
        let data = version.0.as_ref().ok_or_else(|| {
            Failure::precondition(format!("Secret Version [{full}] is in DESTROYED state."))
        })?;
        Ok(json!({
            "name": full,
            "payload": {
                "data": STANDARD.encode(data),
                "dataCrc32c": crc32c(data).to_string(),
            },
        }))
    }

    fn delete(&mut self, asked: &Asked<'_>, name: &str) -> Answer {
        let secret = self.secrets.get(name).ok_or_else(|| {
            Failure::not_found(format!(
                "Secret [projects/{NUMBER}/secrets/{name}] not found."
            ))
        })?;
        if asked
            .query("etag")
            .is_some_and(|etag| etag != secret.etag())
        {
            return Err(Failure::precondition(
                "The etag provided in the request does not match the stored etag.",
            ));
        }
        self.secrets.remove(name);
        Ok(json!({}))
    }

    fn describe(&self, name: &str) -> Answer {
        let secret = self.secrets.get(name).ok_or_else(|| absent(name))?;
        Ok(json!({
            "name": format!("projects/{NUMBER}/secrets/{name}"),
            "replication": {"automatic": {}},
            "createTime": secret.created.to_string(),
            "etag": secret.etag(),
        }))
    }
}

// === impl Secret ===

impl Secret {
    /// The quotes belong to it. New versions do not change it.
    fn etag(&self) -> String {
        format!("\"16151a2f0e{:04x}\"", self.number)
    }
}

fn absent(name: &str) -> Failure {
    Failure::not_found(format!(
        "Secret [projects/{NUMBER}/secrets/{name}] not found or has no versions."
    ))
}

/// The JSON body, in which only fields of these names may be.
fn body(asked: &Asked<'_>, fields: &[&str]) -> Result<Value, Failure> {
    let kind = asked.header("content-type").unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Err(Failure::invalid("Invalid JSON payload received."));
    }
    let body = asked.json().filter(Value::is_object);
    let body = body.ok_or_else(|| Failure::invalid("Invalid JSON payload received."))?;
    let unknown = body
        .as_object()
        .and_then(|body| body.keys().find(|key| !fields.contains(&key.as_str())));
    match unknown {
        Some(name) => Err(Failure::invalid(format!(
            "Invalid JSON payload received. Unknown name \"{name}\": Cannot find field."
        ))),
        None => Ok(body),
    }
}

/// CRC-32 with the polynomial of Castagnoli (RFC 3720, appendix B.4).
fn crc32c(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 }
        })
    })
}
