//! The engines of a Vault.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};

use super::{Answer, Operation, denied, envelope, fields, names, no_content, refusal, success};

/// K/V version 1: one value per path.
#[derive(Default)]
pub(super) struct KvV1(BTreeMap<String, Value>);

/// K/V version 2: numbered versions.
#[derive(Default)]
pub(super) struct KvV2(BTreeMap<String, Vec<Version>>);

struct Version {
    fields: Value,
    deleted: bool,
}

/// A transit engine with one key for all names.
#[derive(Default)]
pub(super) struct Transit {
    rotations: usize,
    plaintexts: Vec<String>,
}

// === impl KvV1 ===

impl KvV1 {
    pub(super) fn entry(&self, path: &str) -> Option<Value> {
        self.0.get(path).cloned()
    }

    pub(super) fn put(&mut self, path: &str, fields: Value) {
        self.0.insert(path.to_owned(), fields);
    }

    pub(super) fn answer(
        &mut self,
        operation: Operation,
        path: &str,
        body: &Value,
        may_update: bool,
    ) -> Answer {
        match operation {
            Operation::Read => match self.entry(path) {
                Some(fields) => success(fields),
                None => refusal(404, &[]),
            },
            Operation::List => names(self.0.keys(), path),
            Operation::Write => match fields(body) {
                None => refusal(400, &["missing data fields"]),
                Some(_) if self.0.contains_key(path) && !may_update => denied(),
                Some(fields) => {
                    self.put(path, Value::Object(fields));
                    no_content()
                }
            },
            Operation::Delete => {
                self.0.remove(path);
                no_content()
            }
        }
    }
}

// === impl KvV2 ===

impl KvV2 {
    pub(super) fn newest(&self, path: &str) -> Option<Value> {
        Some(self.0.get(path)?.last()?.fields.clone())
    }

    pub(super) fn put(&mut self, path: &str, fields: Value) {
        let deleted = false;
        let version = Version { fields, deleted };
        self.0.entry(path.to_owned()).or_default().push(version);
    }

    pub(super) fn soft_delete(&mut self, path: &str) {
        if let Some(version) = self
            .0
            .get_mut(path)
            .and_then(|versions| versions.last_mut())
        {
            version.deleted = true;
        }
    }

    pub(super) fn answer(
        &mut self,
        operation: Operation,
        path: &str,
        query: &str,
        body: &Value,
        may_update: bool,
    ) -> Answer {
        let (area, path) = path.split_once('/').unwrap_or((path, ""));
        match (area, operation) {
            ("data", Operation::Read) => self.read(path, query),
            ("data", Operation::Write) => self.write(path, body, may_update),
            ("metadata", Operation::List) => names(self.0.keys(), path),
            ("metadata", Operation::Delete) => {
                self.0.remove(path);
                no_content()
            }
            ("data" | "metadata", _) => denied(),
            _ => {
                let warning = "Invalid path for a versioned K/V secrets engine. See the API docs \
                               for the appropriate API endpoints to use.";
                let body = envelope("warnings", json!([warning]));
                (StatusCode::NOT_FOUND, body)
            }
        }
    }

    fn read(&self, path: &str, query: &str) -> Answer {
        let Some(versions) = self.0.get(path) else {
            return refusal(404, &[]);
        };
        let number = query
            .split('&')
            .find_map(|item| item.strip_prefix("version=")?.parse().ok())
            .filter(|number| *number > 0)
            .unwrap_or(versions.len());
        let Some(version) = versions.get(number - 1) else {
            return refusal(404, &[]);
        };
        if version.deleted {
            let data = json!({"data": null, "metadata": metadata(number, true)});
            return (StatusCode::NOT_FOUND, envelope("data", data));
        }
        success(json!({"data": version.fields, "metadata": metadata(number, false)}))
    }

    fn write(&mut self, path: &str, body: &Value, may_update: bool) -> Answer {
        let Some(fields) = body.get("data").and_then(Value::as_object) else {
            return refusal(400, &["no data provided"]);
        };
        let versions = self.0.get(path).map_or(0, Vec::len);
        if versions > 0 && !may_update {
            return denied();
        }
        if body
            .pointer("/options/cas")
            .and_then(Value::as_u64)
            .is_some_and(|cas| usize::try_from(cas) != Ok(versions))
        {
            let reason = "check-and-set parameter did not match the current version";
            return refusal(400, &[reason]);
        }
        self.put(path, Value::Object(fields.clone()));
        success(metadata(versions + 1, false))
    }
}

fn metadata(version: usize, deleted: bool) -> Value {
    json!({
        "created_time": "2026-11-01T00:00:00.000000000Z",
        "custom_metadata": null,
        "deletion_time": if deleted { "2026-11-02T00:00:00.000000000Z" } else { "" },
        "destroyed": false,
        "version": version,
    })
}

// === impl Transit ===

impl Transit {
    pub(super) fn rotate(&mut self) {
        self.rotations += 1;
    }

    /// A ciphertext is the number of its plaintext: nobody should look into it.
    pub(super) fn answer(&mut self, operation: Operation, path: &str, body: &Value) -> Answer {
        if operation != Operation::Write {
            return denied();
        }
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        match path.split_once('/') {
            Some(("encrypt", _)) => {
                let Some(plaintext) = text("plaintext") else {
                    return refusal(400, &["missing plaintext"]);
                };
                self.plaintexts.push(plaintext.to_owned());
                let version = self.rotations + 1;
                let number = self.plaintexts.len() - 1;
                let ciphertext = format!("vault:v{version}:{number}");
                success(json!({"ciphertext": ciphertext, "key_version": version}))
            }
            Some(("decrypt", _)) => {
                let mut parts = text("ciphertext").unwrap_or_default().rsplit(':');
                let number: Option<usize> = parts.next().and_then(|number| number.parse().ok());
                match number.and_then(|number| self.plaintexts.get(number)) {
                    Some(plaintext) => success(json!({"plaintext": plaintext})),
                    None => refusal(400, &["invalid ciphertext: unable to decrypt"]),
                }
            }
            _ => denied(),
        }
    }
}
