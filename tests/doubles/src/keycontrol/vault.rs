use std::collections::{BTreeMap, HashMap};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::settings::{Checkout, KeyControlSettings};

/// The most names in a page, whatever was asked for.
const MAX_ITEMS: u64 = 1000;

/// One vault with one account and one box.
pub(super) struct Vault {
    pub(super) settings: KeyControlSettings,
    /// When tokens end, by node and token.
    tokens: HashMap<Token, Timestamp>,
    issued: u64,
    secrets: BTreeMap<String, Secret>,
}

/// A token and the node that gave it out; node 0 stands for all.
type Token = (usize, String);

struct Secret {
    id: String,
    data: String,
    expired: bool,
}

type Body = Map<String, Value>;
type Answer = Result<Value, Failure>;

// === impl Vault ===

impl Vault {
    pub(super) fn new(settings: KeyControlSettings) -> Self {
        Self {
            settings,
            tokens: HashMap::new(),
            issued: 0,
            secrets: BTreeMap::new(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::now() + self.settings.clock
    }

    pub(super) fn revoke_tokens(&mut self) {
        self.tokens.clear();
    }

    pub(super) fn secret_data(&self, name: &str) -> Option<String> {
        self.secrets.get(name).map(|secret| secret.data.clone())
    }

    pub(super) fn put_secret(&mut self, name: &str, data: &str) -> String {
        let number = self.secrets.len() + 1;
        let id = format!("5ec2e700-0000-4000-8000-{number:012}");
        let secret = Secret {
            id: id.clone(),
            data: data.to_owned(),
            expired: false,
        };
        self.secrets.insert(name.to_owned(), secret);
        id
    }

    pub(super) fn expire_secret(&mut self, name: &str) {
        if let Some(secret) = self.secrets.get_mut(name) {
            secret.expired = true;
        }
    }

    pub(super) fn clear(&mut self) {
        self.secrets.clear();
    }

    pub(super) fn answer(&mut self, node: usize, request: &Request<Bytes>) -> Answer {
        let path = request.uri().path().strip_prefix("/vault/1.0/");
        let Some(action) = path.and_then(|rest| rest.strip_suffix('/')) else {
            return Err(Failure::Page(StatusCode::NOT_FOUND));
        };
        if request.method() != Method::POST {
            return Err(Failure::Page(StatusCode::METHOD_NOT_ALLOWED));
        }
        let body = match request.body() {
            body if body.is_empty() && action == "Renew" => Body::new(),
            body => {
                serde_json::from_slice(body).map_err(|_| Failure::refused(400, "Invalid JSON"))?
            }
        };
        if let Some(vault) = action.strip_prefix("Login/") {
            return self.login(node, vault, &body);
        }
        let token = request.headers().get("X-Vault-Auth");
        let token = token.and_then(|token| token.to_str().ok());
        let token = (self.scope(node), token.unwrap_or_default().to_owned());
        let end = self.tokens.get(&token);
        if end.is_none_or(|end| *end <= self.now()) {
            return Err(Failure::Refused(self.settings.unauthenticated.clone()));
        }
        if self.settings.denied.contains(action) {
            return Err(Failure::Denied);
        }
        match action {
            "Renew" => Ok(self.renew(node, &token)),
            "GetBox" => self.get_box(&body),
            "CreateSecret" => self.create(&body),
            "CheckoutSecret" => self.checkout(&body),
            "DeleteSecret" => self.delete(&body),
            "ListSecretIds" => self.list(&body),
            _ => Err(Failure::Denied),
        }
    }

    fn login(&mut self, node: usize, vault: &str, body: &Body) -> Answer {
        if vault != self.settings.vault_id {
            return Err(Failure::refused(404, "Vault not found"));
        }
        let credentials = (text(body, "username")?, text(body, "password")?);
        if credentials != (&self.settings.username, &self.settings.password) {
            return Err(Failure::refused(401, "Invalid username or password"));
        }
        let mut answer = self.issue(node);
        let more = json!({
            "is_user": true,
            "box_admin": false,
            "appliance_id": "0f1e2d3c-0000-4000-8000-000000000001",
            "admin": true,
            "user": self.settings.username,
        });
        add(&mut answer, more);
        Ok(answer)
    }

    fn renew(&mut self, node: usize, token: &Token) -> Value {
        if self.settings.revokes_renewed {
            self.tokens.remove(token);
        }
        self.issue(node)
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

    fn scope(&self, node: usize) -> usize {
        if self.settings.shares_tokens { 0 } else { node }
    }

    fn get_box(&self, body: &Body) -> Answer {
        self.in_box(body)?;
        Ok(json!({ "box_id": self.settings.box_id, "name": self.settings.box_name }))
    }

    fn create(&mut self, body: &Body) -> Answer {
        self.in_box(body)?;
        let (name, data) = (text(body, "name")?, text(body, "secret_data")?);
        if self.secrets.contains_key(name) {
            return Err(Failure::refused(409, "Secret already exists"));
        }
        Ok(json!({ "secret_id": self.put_secret(name, data) }))
    }

    fn checkout(&self, body: &Body) -> Answer {
        let (_, secret) = self.find(body)?;
        let mut answer = json!({
            "secret_data": secret.data,
            "secret_subtype_info": { "type": "text" },
        });
        match &self.settings.checkout {
            Checkout::Plain => {}
            Checkout::Refused(refusal) => return Err(Failure::Refused(refusal.clone())),
            Checkout::Leased(life) => {
                let lease = json!({
                    "lease_id": "1ea5e000-0000-4000-8000-000000000001",
                    "expires_at": (self.now() + *life).to_string(),
                    "renewable": true,
                });
                add(&mut answer, json!({ "lease": lease }));
            }
        }
        Ok(answer)
    }

    fn delete(&mut self, body: &Body) -> Answer {
        let name = self.find(body)?.0.to_owned();
        self.secrets.remove(&name);
        Ok(json!({}))
    }

    fn list(&self, body: &Body) -> Answer {
        self.in_box(body)?;
        let prefix = body.get("prefix").and_then(Value::as_str);
        let prefix = prefix.unwrap_or_default();
        let max_items = body.get("max_items").and_then(Value::as_u64);
        let max_items = max_items.unwrap_or(MAX_ITEMS).clamp(1, MAX_ITEMS);
        let start = match body.get("next_token") {
            None => String::new(),
            Some(token) => self
                .context(token)
                .ok_or_else(|| Failure::refused(400, "Invalid next_token"))?,
        };
        let mut names = self
            .secrets
            .range(start.clone()..)
            .filter(|(name, _)| name.starts_with(prefix));
        let secrets: Vec<Value> = (0..max_items)
            .map_while(|_| names.next())
            .map(|(name, secret)| {
                json!({ "secret_id": secret.id, "name": name, "expired": secret.expired })
            })
            .collect();
        let next = match names.next() {
            _ if self.settings.repeats_pages => Some(&start),
            next => next.map(|(name, _)| name),
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
        let token: Body = serde_json::from_slice(&token).ok()?;
        self.in_box(&token).ok()?;
        Some(token.get("next_ctx")?.as_str()?.to_owned())
    }

    /// The secret that is meant by name or UUID.
    fn find(&self, body: &Body) -> Result<(&str, &Secret), Failure> {
        self.in_box(body)?;
        let wanted = text(body, "secret_id")?;
        let by_id = || self.secrets.iter().find(|(_, secret)| secret.id == *wanted);
        self.secrets
            .get_key_value(wanted)
            .or_else(by_id)
            .map(|(name, secret)| (name.as_str(), secret))
            .ok_or_else(|| Failure::refused(404, "Secret not found"))
    }

    fn in_box(&self, body: &Body) -> Result<(), Failure> {
        let wanted = text(body, "box_id")?;
        if [&self.settings.box_id, &self.settings.box_name].contains(&wanted) {
            Ok(())
        } else {
            Err(Failure::refused(404, "Box not found"))
        }
    }
}

fn text<'a>(body: &'a Body, key: &str) -> Result<&'a String, Failure> {
    match body.get(key) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(Failure::refused(400, &format!("{key} is required"))),
    }
}

fn add(document: &mut Value, more: Value) {
    if let (Some(document), Value::Object(more)) = (document.as_object_mut(), more) {
        document.extend(more);
    }
}
