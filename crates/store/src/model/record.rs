//! What the records of the state look like: key and content for each table.
//!
//! The content is protobuf; what is the key of a record does not stand in its content.

use jiff::Timestamp;
use keystead_crypto::{Cipher, KeyRing, KeyVersion, SecretKey};
use keystead_identity::KmsIdentity;
use keystead_policy::rules::{Pattern, Rules};
use prost::Message;
use std::collections::BTreeMap;
use std::sync::Arc;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::identity::Kind;
use super::{Created, Enclave, IdentityEntry, KeyEntry, Map, PolicyEntry};
use crate::Error;

/// Between the name of the enclave and what is in it; no name contains it.
const SEPARATOR: u8 = 0;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct CreatedRecord {
    #[prost(sint64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
    #[prost(bytes = "vec", tag = "3")]
    by: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct EnclaveRecord {
    #[prost(message, optional, tag = "1")]
    created: Option<CreatedRecord>,
}

/// The patterns of one command.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RuleSetRecord {
    #[prost(uint32, tag = "1")]
    code: u32,
    #[prost(string, repeated, tag = "2")]
    patterns: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct PolicyRecord {
    #[prost(message, repeated, tag = "1")]
    allow: Vec<RuleSetRecord>,
    #[prost(message, repeated, tag = "2")]
    deny: Vec<RuleSetRecord>,
    #[prost(message, optional, tag = "3")]
    created: Option<CreatedRecord>,
}

#[derive(Clone, PartialEq, Message)]
struct IdentityRecord {
    #[prost(uint32, tag = "1")]
    kind: u32,
    /// Empty if there is none.
    #[prost(string, tag = "2")]
    policy: String,
    #[prost(message, optional, tag = "3")]
    created: Option<CreatedRecord>,
    #[prost(btree_map = "string, string", tag = "4")]
    tags: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct KeyRecord {
    #[prost(uint32, tag = "1")]
    highest: u32,
    #[prost(message, repeated, tag = "2")]
    versions: Vec<VersionRecord>,
}

#[derive(Clone, PartialEq, Message, ZeroizeOnDrop)]
#[prost(skip_debug)]
struct VersionRecord {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(uint32, tag = "2")]
    cipher: u32,
    #[prost(bytes = "vec", tag = "3")]
    key: Vec<u8>,
    #[prost(bool, tag = "4")]
    imported: bool,
    #[prost(message, optional, tag = "5")]
    #[zeroize(skip)]
    created: Option<CreatedRecord>,
}

/// The key of what stands under `name` in an enclave.
pub(crate) fn key_in(enclave: &str, name: &[u8]) -> Vec<u8> {
    [enclave.as_bytes(), &[SEPARATOR], name].concat()
}

/// The inverse of [`key_in`].
pub(crate) fn split_key(key: &[u8]) -> Result<(&str, &[u8]), Error> {
    let malformed = || Error::malformed("key of a record");
    let mut parts = key.splitn(2, |byte| *byte == SEPARATOR);
    let enclave = parts.next().and_then(|text| str::from_utf8(text).ok());
    Ok((
        enclave.ok_or_else(malformed)?,
        parts.next().ok_or_else(malformed)?,
    ))
}

// === impl CreatedRecord ===

impl From<Created> for CreatedRecord {
    fn from(created: Created) -> Self {
        Self {
            seconds: created.at.as_second(),
            nanos: created.at.subsec_nanosecond(),
            by: match created.by.is_nobody() {
                true => Vec::new(),
                false => created.by.as_bytes().to_vec(),
            },
        }
    }
}

impl TryFrom<Option<&CreatedRecord>> for Created {
    type Error = Error;

    fn try_from(record: Option<&CreatedRecord>) -> Result<Self, Error> {
        let malformed = || Error::malformed("time or creator of a record");
        let record = record.ok_or_else(malformed)?;
        let at = Timestamp::new(record.seconds, record.nanos);
        Ok(Self {
            at: at.map_err(|_| malformed())?,
            by: match record.by.as_slice() {
                [] => KmsIdentity::NOBODY,
                bytes => identity(bytes).ok_or_else(malformed)?,
            },
        })
    }
}

// === impl Enclave ===

impl Enclave {
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let created = Some(self.created.into());
        encode(&EnclaveRecord { created })
    }

    pub(crate) fn decode(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        let record: EnclaveRecord = decode(bytes, "record of an enclave")?;
        Ok(Self::new(name, record.created.as_ref().try_into()?))
    }
}

// === impl PolicyEntry ===

impl PolicyEntry {
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let (allow, deny) = rules_to_records(&self.rules);
        encode(&PolicyRecord {
            allow,
            deny,
            created: Some(self.created.into()),
        })
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let record: PolicyRecord = decode(bytes, "record of a policy")?;
        Ok(Self {
            rules: Arc::new(rules_from_records(&record.allow, &record.deny)?),
            created: record.created.as_ref().try_into()?,
        })
    }
}

pub(crate) fn rules_to_records(rules: &Rules) -> (Vec<RuleSetRecord>, Vec<RuleSetRecord>) {
    fn records<'a>(sets: impl Iterator<Item = (u16, &'a [Pattern])>) -> Vec<RuleSetRecord> {
        let record = |(code, patterns): (u16, &[Pattern])| RuleSetRecord {
            code: code.into(),
            patterns: patterns.iter().map(ToString::to_string).collect(),
        };
        sets.map(record).collect()
    }
    (records(rules.allow()), records(rules.deny()))
}

pub(crate) fn rules_from_records(
    allow: &[RuleSetRecord],
    deny: &[RuleSetRecord],
) -> Result<Rules, Error> {
    let malformed = || Error::malformed("rules of a policy");
    let sets = |records| sets(records).ok_or_else(malformed);
    Rules::new(sets(allow)?, sets(deny)?).map_err(|_| malformed())
}

fn sets(records: &[RuleSetRecord]) -> Option<Vec<(u16, Vec<&str>)>> {
    records
        .iter()
        .map(|record| {
            let patterns = record.patterns.iter().map(String::as_str).collect();
            Some((record.code.try_into().ok()?, patterns))
        })
        .collect()
}

// === impl IdentityEntry ===

impl IdentityEntry {
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        encode(&IdentityRecord {
            kind: match self.kind {
                Kind::Admin => 1,
                Kind::User { .. } => 2,
                Kind::ServiceAccount => 3,
            },
            policy: self.policy().unwrap_or_default().to_owned(),
            created: Some(self.created.into()),
            tags: self.tags().clone(),
        })
    }

    /// Without service accounts, which are records of their own.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let record: IdentityRecord = decode(bytes, "record of an identity")?;
        let policy = match record.policy.as_str() {
            "" => None,
            name => Some(name.into()),
        };
        Ok(Self {
            kind: match (record.kind, policy) {
                (1, None) => Kind::Admin,
                (2, policy) => Kind::User { policy },
                (3, None) => Kind::ServiceAccount,
                _ => return Err(Error::malformed("record of an identity")),
            },
            created: record.created.as_ref().try_into()?,
            tags: Arc::new(record.tags),
            service_accounts: Map::default(),
        })
    }
}

// === impl KeyEntry ===

impl KeyEntry {
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let versions = self.versions().map(|(version, created)| VersionRecord {
            version: version.version,
            cipher: cipher_number(version.cipher),
            key: version.key.expose().to_vec(),
            imported: version.imported,
            created: Some(created.into()),
        });
        encode(&KeyRecord {
            highest: self.ring().highest(),
            versions: versions.collect(),
        })
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let malformed = || Error::malformed("record of a key");
        let record: KeyRecord = decode(bytes, "record of a key")?;
        // The ring sorts its versions and `created` does not follow, so they must be
        // sorted already.
        if !record.versions.is_sorted_by_key(|version| version.version) {
            return Err(malformed());
        }
        let created = record
            .versions
            .iter()
            .map(|it| it.created.as_ref().try_into());
        let created = created.collect::<Result<_, Error>>()?;
        let versions = record.versions.iter().map(|it| {
            Some(KeyVersion {
                version: it.version,
                cipher: cipher(it.cipher)?,
                key: SecretKey::try_from(it.key.as_slice()).ok()?,
                imported: it.imported,
            })
        });
        let versions: Option<Vec<_>> = versions.collect();
        let ring = KeyRing::restore(versions.ok_or_else(malformed)?, record.highest);
        Self::new(ring.map_err(|_| malformed())?, created).ok_or_else(malformed)
    }
}

/// The number that stands for a cipher in records and operations.
pub(crate) fn cipher_number(cipher: Cipher) -> u32 {
    match cipher {
        Cipher::Aes256 => 1,
        Cipher::ChaCha20 => 2,
    }
}

pub(crate) fn cipher(number: u32) -> Option<Cipher> {
    match number {
        1 => Some(Cipher::Aes256),
        2 => Some(Cipher::ChaCha20),
        _ => None,
    }
}

/// The identity of 32 bytes that are not all zero.
pub(crate) fn identity(bytes: &[u8]) -> Option<KmsIdentity> {
    let identity = KmsIdentity::from_bytes(bytes.try_into().ok()?);
    (!identity.is_nobody()).then_some(identity)
}

pub(crate) fn encode(record: &impl Message) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(record.encode_to_vec())
}

pub(crate) fn decode<M: Message + Default>(bytes: &[u8], what: &'static str) -> Result<M, Error> {
    M::decode(bytes).map_err(|_| Error::malformed(what))
}
