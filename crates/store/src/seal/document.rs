use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use keystead_crypto::{constant_time_eq, decode_base64, encode_base64, hex, sha256};
use keystead_hsm::{ClusterId, RootKeyId, SealedEntry};
use serde::{Deserialize, Serialize};

use super::{FILE, HsmError};

const FORMAT: &str = "keystead-minkms-seal";

/// The format this release writes, and the newest it reads.
const VERSION: u64 = 1;

/// The content of `seal.json`: everything a node knows before an HSM opened its
/// root key.
///
/// JSON, so that an operator can read which HSM may open the node. Nothing in it
/// is secret. `checksum` is the SHA-256 of the document with an empty checksum; it
/// finds accidents. What an attacker changes here is found by the HSMs and by the
/// records, which bind the cluster and the node.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    format: String,
    version: u64,
    #[serde(with = "as_text")]
    pub(crate) cluster: ClusterId,
    pub(crate) node: u64,
    pub(crate) host: String,
    /// Whether the first start came to its end, so that the databases must exist.
    pub(crate) initialised: bool,
    /// The root key that new records are sealed under.
    #[serde(with = "as_text")]
    pub(crate) current: RootKeyId,
    /// Root keys that records may still need, the oldest first.
    pub(crate) roots: Vec<Root>,
    /// HSMs whose entry an operator removed: the next start does not seal them anew.
    pub(crate) removed: Vec<String>,
    /// The key of record names, sealed under the current root key, in base64.
    #[serde(with = "base64_bytes")]
    pub(crate) names: Vec<u8>,
    checksum: String,
}

/// A root key and its copies, one for each HSM.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Root {
    #[serde(with = "as_text")]
    pub(crate) id: RootKeyId,
    pub(crate) entries: Vec<Entry>,
}

/// A copy of a root key, sealed by an HSM.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) hsm: String,
    #[serde(with = "base64_bytes")]
    pub(crate) sealed: Vec<u8>,
}

/// What every version of the file has.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u64,
}

// === impl Document ===

impl Document {
    pub(crate) fn new(cluster: ClusterId, host: String, root: Root, names: Vec<u8>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            cluster,
            node: 0,
            host,
            initialised: false,
            current: root.id,
            roots: vec![root],
            removed: Vec::new(),
            names,
            checksum: String::new(),
        }
    }

    /// Reads the file of `dir`; `None` if there is none.
    pub(crate) fn read(dir: &Path) -> Result<Option<Self>, HsmError> {
        let path = dir.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(HsmError::Io { path, source }),
        };
        Self::decode(&text).map(Some)
    }

    pub(crate) fn decode(text: &[u8]) -> Result<Self, HsmError> {
        let damaged = |error: serde_json::Error| HsmError::Damaged(error.to_string());
        let head: Head = serde_json::from_slice(text).map_err(damaged)?;
        if head.format != FORMAT {
            return Err(HsmError::Damaged(format!(
                "its format is '{}', not '{FORMAT}'",
                head.format
            )));
        }
        if head.version > VERSION {
            return Err(HsmError::Newer {
                version: head.version,
                known: VERSION,
            });
        }
        let document: Self = serde_json::from_slice(text).map_err(damaged)?;
        let checksum = document.computed_checksum()?;
        if !constant_time_eq(checksum.as_bytes(), document.checksum.as_bytes()) {
            return Err(HsmError::Damaged(
                "its checksum does not match its content".to_owned(),
            ));
        }
        Ok(document)
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, HsmError> {
        let mut document = self.clone();
        document.checksum = self.computed_checksum()?;
        let mut text = serde_json::to_vec_pretty(&document)
            .map_err(|error| HsmError::Damaged(error.to_string()))?;
        text.push(b'\n');
        Ok(text)
    }

    /// Replaces the file of `dir` as a whole: after a crash either the old or the
    /// new content is there.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), HsmError> {
        let path = dir.join(FILE);
        let text = self.encode()?;
        replace(dir, &path, &text).map_err(|source| HsmError::Io { path, source })
    }

    /// The root key that new records are sealed under, still sealed.
    pub(crate) fn current_root(&self) -> Option<&Root> {
        self.roots.iter().find(|root| root.id == self.current)
    }

    fn computed_checksum(&self) -> Result<String, HsmError> {
        let mut document = self.clone();
        document.checksum.clear();
        let text =
            serde_json::to_vec(&document).map_err(|error| HsmError::Damaged(error.to_string()))?;
        Ok(hex(&sha256(&text)))
    }
}

// === impl Root ===

impl Root {
    pub(crate) fn entry(&self, hsm: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.hsm == hsm)
    }

    /// Puts an entry in the place of the one of the same HSM, or adds it.
    pub(crate) fn put(&mut self, new: Entry) {
        match self.entries.iter_mut().find(|entry| entry.hsm == new.hsm) {
            Some(entry) => *entry = new,
            None => self.entries.push(new),
        }
    }

    pub(crate) fn sealed_entries(&self) -> Vec<SealedEntry> {
        self.entries
            .iter()
            .map(|entry| SealedEntry {
                hsm: entry.hsm.clone(),
                rek_id: self.id,
                sealed: entry.sealed.clone(),
            })
            .collect()
    }
}

fn replace(dir: &Path, path: &Path, text: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("json.new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(dir)?.sync_all()
}

mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(id: &impl Display, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(
        from: D,
    ) -> Result<T, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

mod base64_bytes {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::encode_base64(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        super::decode_base64(text.as_bytes())
            .map(|bytes| bytes.to_vec())
            .map_err(D::Error::custom)
    }
}
