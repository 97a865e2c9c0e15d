use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use keystead_config::kes::{EngineVersion, VaultConfig};
use keystead_rest::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::sleep;
use zeroize::Zeroizing;

use crate::api::path;
use crate::error::Version;
use crate::login::encode;
use crate::reply::{Envelope, Reply};
use crate::{Client, Error};

/// How long a write to K/V v1 is left to rivals before it is read back.
const SETTLING: Duration = Duration::from_millis(100);

/// What Vault says if `cas` does not fit.
const CAS_MISMATCH: &str = "check-and-set parameter did not match";

/// A folder of a K/V engine, in which each entry has one text under its own name
/// (key stores, sections 4.5 and 4.6).
pub struct Kv {
    version: EngineVersion,
    engine: String,
    prefix: String,
}

/// What came of a create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// The entry is new.
    Created,
    /// There is an entry of this name, with whatever value.
    Exists,
}

#[derive(Serialize)]
struct VersionedWrite<'w> {
    options: Options,
    data: BTreeMap<&'w str, &'w str>,
}

#[derive(Serialize)]
struct Options {
    /// The version that is overwritten; 0 if there is none.
    cas: u32,
}

#[derive(Deserialize)]
struct Versioned {
    /// `null` if the version has been deleted.
    data: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Names {
    keys: Vec<String>,
}

#[derive(Deserialize)]
struct Mount {
    #[serde(rename = "type")]
    kind: String,
    options: Option<MountOptions>,
}

#[derive(Deserialize)]
struct MountOptions {
    version: Option<String>,
}

// === impl Kv ===

impl Kv {
    /// The folder of a configuration.
    #[must_use]
    pub fn new(config: &VaultConfig) -> Self {
        Self {
            version: config.version,
            engine: config.engine.clone(),
            prefix: config.prefix.clone(),
        }
    }

    /// Asks which version the engine has. A server that does not tell is believed to
    /// have the configured one.
    ///
    /// # Errors
    ///
    /// [`Error::EngineVersion`] if it has another one than configured.
    pub async fn check_version(&self, client: &Client) -> Result<(), Error> {
        let path = path(&["sys/internal/ui/mounts", &self.engine]);
        let reply = client.call(Method::GET, &path, None).await?;
        let Ok(mount) = reply.success().and_then(|reply| reply.envelope::<Mount>()) else {
            return Ok(());
        };
        let Some(mount) = mount.data.filter(|mount| mount.kind == "kv") else {
            return Ok(());
        };
        let version = mount.options.and_then(|options| options.version);
        let actual = match version.as_deref() {
            Some("2") => EngineVersion::V2,
            _ => EngineVersion::V1,
        };
        if actual == self.version {
            return Ok(());
        }
        Err(self.has_version(actual))
    }

    /// The text of an entry; `None` if there is no such entry.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] if there is one without a text under its own name,
    /// [`Error::EngineVersion`] if the engine has another version.
    pub async fn read(
        &self,
        client: &Client,
        name: &str,
    ) -> Result<Option<Zeroizing<String>>, Error> {
        match self.look_up(client, name).await {
            Err(Error::SoftDeleted(_)) => Ok(None),
            result => result,
        }
    }

    async fn look_up(
        &self,
        client: &Client,
        name: &str,
    ) -> Result<Option<Zeroizing<String>>, Error> {
        let mut path = self.location("data", name);
        if self.version == EngineVersion::V2 {
            path.push_str("?version=1");
        }
        let reply = client.call(Method::GET, &path, None).await?;
        match self.version {
            EngineVersion::V1 => self.v1_entry(&reply, name),
            EngineVersion::V2 => v2_entry(&reply, name),
        }
    }

    fn v1_entry(&self, reply: &Reply, name: &str) -> Result<Option<Zeroizing<String>>, Error> {
        if reply.is_absent() {
            return self.absent(reply);
        }
        if !reply.status.is_success() {
            return Err(reply.error());
        }
        let Envelope { data, warnings, .. } = reply.envelope::<Map<String, Value>>()?;
        if data.is_none() && !warnings.is_empty() {
            return Err(self.has_version(EngineVersion::V2));
        }
        take_text(data.unwrap_or_default(), name).map(Some)
    }

    /// A v2 engine tells a v1 client with a warning that it is in the wrong place.
    fn absent(&self, reply: &Reply) -> Result<Option<Zeroizing<String>>, Error> {
        match reply.envelope::<Value>() {
            Ok(envelope) if !envelope.warnings.is_empty() => {
                Err(self.has_version(EngineVersion::V2))
            }
            _ => Ok(None),
        }
    }

    /// Makes an entry unless there is one.
    ///
    /// `value` makes the text, and is asked only if it is needed. On v2 one of any
    /// number of rivals wins. v1 cannot promise that: rivals are noticed unless they
    /// are slower than 100 ms between their look and their write.
    ///
    /// # Errors
    ///
    /// [`Error::SoftDeleted`] and those of [`Kv::read`].
    pub async fn create<V, F>(
        &self,
        client: &Client,
        name: &str,
        value: V,
    ) -> Result<Creation, Error>
    where
        V: FnOnce() -> F,
        F: Future<Output = Result<Zeroizing<String>, Error>>,
    {
        if self.look_up(client, name).await?.is_some() {
            return Ok(Creation::Exists);
        }
        let value = value().await?;
        let fields = BTreeMap::from([(name, value.as_str())]);
        let body = match self.version {
            EngineVersion::V1 => encode(&fields)?,
            EngineVersion::V2 => encode(&VersionedWrite {
                options: Options { cas: 0 },
                data: fields,
            })?,
        };
        let path = self.location("data", name);
        let reply = client.call(Method::PUT, &path, Some(&body)).await?;
        if reply.status.is_success() {
            return match self.version {
                EngineVersion::V1 => {
                    sleep(SETTLING).await;
                    self.winner(client, name, &value).await
                }
                EngineVersion::V2 => Ok(Creation::Created),
            };
        }
        let error = reply.error();
        if !is_taken(&error) {
            return Err(error);
        }
        // The attempt whose answer got lost may have been the one that succeeded.
        if reply.repeated {
            return self.winner(client, name, &value).await;
        }
        match self.look_up(client, name).await {
            Ok(None) => Err(error),
            _ => Ok(Creation::Exists),
        }
    }

    /// Whether this create or that of a rival made the entry.
    async fn winner(&self, client: &Client, name: &str, value: &str) -> Result<Creation, Error> {
        Ok(match self.look_up(client, name).await? {
            Some(stored) if stored.as_str() != value => Creation::Exists,
            // Whoever deleted it meanwhile has seen it.
            Some(_) | None => Creation::Created,
        })
    }

    /// Removes an entry with all its versions, if there is one.
    ///
    /// # Errors
    ///
    /// Those of every request.
    pub async fn delete(&self, client: &Client, name: &str) -> Result<(), Error> {
        let path = self.location("metadata", name);
        let reply = client.call(Method::DELETE, &path, None).await?;
        reply.success().map(drop)
    }

    /// The names of all entries, in no particular order.
    ///
    /// # Errors
    ///
    /// Those of every request.
    pub async fn list(&self, client: &Client) -> Result<Vec<String>, Error> {
        let path = self.location("metadata", "") + "?list=true";
        let reply = client.call(Method::GET, &path, None).await?;
        if reply.is_absent() {
            return Ok(Vec::new());
        }
        let names = reply.success()?.envelope::<Names>()?.data;
        let names = names.map(|names| names.keys).unwrap_or_default();
        // A slash at the end marks a folder.
        Ok(names
            .into_iter()
            .filter(|name| !name.ends_with('/'))
            .collect())
    }

    /// The path of an entry, or with an empty name of the folder. `area` is the part
    /// of a v2 engine; v1 has none.
    fn location(&self, area: &str, name: &str) -> String {
        let area = match self.version {
            EngineVersion::V1 => "",
            EngineVersion::V2 => area,
        };
        path(&[&self.engine, area, &self.prefix, name])
    }

    fn has_version(&self, actual: EngineVersion) -> Error {
        Error::EngineVersion {
            engine: self.engine.clone(),
            configured: Version(self.version),
            actual: Version(actual),
        }
    }
}

fn v2_entry(reply: &Reply, name: &str) -> Result<Option<Zeroizing<String>>, Error> {
    if reply.is_absent() {
        // A deleted version is not found either, but has metadata.
        return match reply.envelope::<Versioned>() {
            Ok(Envelope { data: Some(_), .. }) => Err(Error::SoftDeleted(name.to_owned())),
            _ => Ok(None),
        };
    }
    if !reply.status.is_success() {
        return Err(reply.error());
    }
    let data = reply.envelope::<Versioned>()?.data;
    match data.and_then(|versioned| versioned.data) {
        Some(fields) => take_text(fields, name).map(Some),
        None => Err(Error::SoftDeleted(name.to_owned())),
    }
}

fn take_text(mut fields: Map<String, Value>, name: &str) -> Result<Zeroizing<String>, Error> {
    match fields.remove(name) {
        Some(Value::String(text)) => Ok(Zeroizing::new(text)),
        _ => Err(Error::Format(name.to_owned())),
    }
}

/// Whether a write was refused because there is an entry: by its version, or by a
/// policy that allows to create but not to update.
fn is_taken(error: &Error) -> bool {
    match error {
        Error::Refused { status, reason } => {
            *status == StatusCode::FORBIDDEN.as_u16()
                || reason.0.iter().any(|text| text.contains(CAS_MISMATCH))
        }
        _ => false,
    }
}
