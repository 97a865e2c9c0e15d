use data_encoding::BASE64;
use jiff::Timestamp;
use keystead_hsm::{ClusterId, RootKeyId, SealedEntry};
use serde::{Deserialize, Serialize};

use super::Error;

const FORMAT: &str = "keystead-minkms-backup";
const VERSION: u64 = 1;
const ALGORITHM: &str = "AES-256-GCM";

/// Where a backup comes from, and who can open it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    /// The cluster.
    pub cluster: ClusterId,
    /// When the backup was made.
    pub created: Timestamp,
    /// The root key whose backup key seals the stream.
    pub root_key: RootKeyId,
    /// That root key as HSMs sealed it. Entries of other root keys are left out.
    pub entries: Vec<SealedEntry>,
}

/// What a backup says about itself, readable by everybody and authentic only once the
/// stream has opened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// Where it comes from.
    pub origin: Origin,
    /// How many changes its state had seen.
    pub commit: u64,
    pub(super) salt: [u8; 32],
    pub(super) nonce: [u8; 8],
}

/// The members in the order of the file. Unknown ones are ignored.
#[derive(Deserialize, Serialize)]
struct Document {
    format: String,
    version: u64,
    cluster: String,
    created: Timestamp,
    commit: u64,
    rek_id: String,
    rek: Vec<EntryDocument>,
    algorithm: String,
    salt: String,
    nonce: String,
}

#[derive(Deserialize, Serialize)]
struct EntryDocument {
    hsm: String,
    sealed: String,
}

/// Read before the rest, whose members may be others in a newer version.
#[derive(Deserialize)]
struct Start {
    format: String,
    version: u64,
}

// === impl Header ===

impl Header {
    pub(super) fn encode(&self) -> Result<Vec<u8>, Error> {
        let origin = &self.origin;
        let entries = origin.entries.iter().map(|entry| EntryDocument {
            hsm: entry.hsm.clone(),
            sealed: BASE64.encode(&entry.sealed),
        });
        let document = Document {
            format: FORMAT.to_owned(),
            version: VERSION,
            cluster: origin.cluster.to_string(),
            created: origin.created,
            commit: self.commit,
            rek_id: origin.root_key.to_string(),
            rek: entries.collect(),
            algorithm: ALGORITHM.to_owned(),
            salt: BASE64.encode(&self.salt),
            nonce: BASE64.encode(&self.nonce),
        };
        serde_json::to_vec(&document).map_err(|_| Error::Header("it cannot be written"))
    }

    pub(super) fn decode(json: &[u8]) -> Result<Self, Error> {
        let no_json = |_| Error::Header("it is not the JSON object expected");
        let start: Start = serde_json::from_slice(json).map_err(no_json)?;
        if start.format != FORMAT {
            return Err(Error::NotBackup);
        }
        if start.version != VERSION {
            return Err(Error::Version(start.version));
        }
        let document: Document = serde_json::from_slice(json).map_err(no_json)?;
        if document.algorithm != ALGORITHM {
            return Err(Error::Header("unknown algorithm"));
        }
        let cluster = document.cluster.parse();
        let root_key = document.rek_id.parse();
        let root_key = root_key.map_err(|_| Error::Header("invalid id of the root key"))?;
        let entries = document.rek.into_iter().map(|entry| {
            let sealed = BASE64.decode(entry.sealed.as_bytes());
            Ok(SealedEntry {
                hsm: entry.hsm,
                rek_id: root_key,
                sealed: sealed.map_err(|_| Error::Header("invalid HSM entry"))?,
            })
        });
        let entries = entries.collect::<Result<_, Error>>()?;
        Ok(Self {
            origin: Origin {
                cluster: cluster.map_err(|_| Error::Header("invalid cluster"))?,
                created: document.created,
                root_key,
                entries,
            },
            commit: document.commit,
            salt: fixed(&document.salt).ok_or(Error::Header("invalid salt"))?,
            nonce: fixed(&document.nonce).ok_or(Error::Header("invalid nonce"))?,
        })
    }
}

fn fixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE64.decode(text.as_bytes()).ok()?.try_into().ok()
}
