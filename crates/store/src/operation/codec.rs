//! Operations as bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use keystead_crypto::SecretKey;
use keystead_identity::KmsIdentity;
use keystead_wire_kms::Privilege;
use prost::Message;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::{Caller, NewIdentity, Operation, Versions};
use crate::model::{
    CreatedRecord, RuleSetRecord, cipher, cipher_number, rules_from_records, rules_to_records,
};
use crate::{Created, Error, backup};

/// One message for all operations: each uses the fields it needs.
#[derive(Clone, PartialEq, Message, ZeroizeOnDrop)]
#[prost(skip_debug)]
struct OperationRecord {
    #[prost(string, tag = "1")]
    enclave: String,
    #[prost(string, tag = "2")]
    name: String,
    /// The time, and who asks.
    #[prost(message, optional, tag = "3")]
    #[zeroize(skip)]
    created: Option<CreatedRecord>,
    /// 0: none given.
    #[prost(uint32, tag = "4")]
    cipher: u32,
    #[prost(bytes = "vec", tag = "5")]
    key: Vec<u8>,
    #[prost(bool, tag = "6")]
    add_version: bool,
    /// 0: the latest.
    #[prost(uint32, tag = "7")]
    version: u32,
    #[prost(bool, tag = "8")]
    all_versions: bool,
    #[prost(message, repeated, tag = "9")]
    #[zeroize(skip)]
    allow: Vec<RuleSetRecord>,
    #[prost(message, repeated, tag = "10")]
    #[zeroize(skip)]
    deny: Vec<RuleSetRecord>,
    #[prost(bytes = "vec", tag = "11")]
    identity: Vec<u8>,
    #[prost(bool, tag = "12")]
    by_root: bool,
    #[prost(uint32, tag = "13")]
    privilege: u32,
    #[prost(bool, tag = "14")]
    is_service_account: bool,
    #[prost(btree_map = "string, string", tag = "15")]
    #[zeroize(skip)]
    tags: BTreeMap<String, String>,
    /// The records of a backup.
    #[prost(bytes = "vec", tag = "16")]
    state: Vec<u8>,
}

/// The number of the operation and its content, in clear.
pub(super) fn encode(operation: &Operation) -> (u32, Zeroizing<Vec<u8>>) {
    let (number, record) = to_record(operation);
    (number, Zeroizing::new(record.encode_to_vec()))
}

/// The inverse of [`encode`].
pub(super) fn decode(number: u32, bytes: &[u8]) -> Result<Operation, Error> {
    if !(1..=12).contains(&number) {
        return Err(Error::UnknownOperation { number });
    }
    let record = OperationRecord::decode(bytes);
    record
        .ok()
        .and_then(|record| from_record(number, record))
        .ok_or(Error::malformed("operation"))
}

fn to_record(operation: &Operation) -> (u32, OperationRecord) {
    let mut record = OperationRecord::default();
    let number = match operation {
        Operation::CreateEnclave { name, created } => {
            record.name.clone_from(name);
            record.created = Some((*created).into());
            1
        }
        Operation::DeleteEnclave { name } => {
            record.name.clone_from(name);
            2
        }
        Operation::CreateKey {
            enclave,
            name,
            cipher,
            key,
            add_version,
            created,
        } => {
            record.enclave.clone_from(enclave);
            record.name.clone_from(name);
            record.cipher = cipher.map_or(0, cipher_number);
            record.key = key.expose().to_vec();
            record.add_version = *add_version;
            record.created = Some((*created).into());
            3
        }
        Operation::ImportKey {
            enclave,
            name,
            cipher,
            key,
            created,
        } => {
            record.enclave.clone_from(enclave);
            record.name.clone_from(name);
            record.cipher = cipher.map_or(0, cipher_number);
            record.key = key.expose().to_vec();
            record.created = Some((*created).into());
            4
        }
        Operation::DeleteKey {
            enclave,
            name,
            versions,
        } => {
            record.enclave.clone_from(enclave);
            record.name.clone_from(name);
            match versions {
                Versions::Latest => {}
                Versions::One(version) => record.version = *version,
                Versions::All => record.all_versions = true,
            }
            5
        }
        Operation::CreatePolicy {
            enclave,
            name,
            rules,
            created,
        } => {
            record.enclave.clone_from(enclave);
            record.name.clone_from(name);
            (record.allow, record.deny) = rules_to_records(rules);
            record.created = Some((*created).into());
            6
        }
        Operation::DeletePolicy { enclave, name } => {
            record.enclave.clone_from(enclave);
            record.name.clone_from(name);
            7
        }
        Operation::AssignPolicy {
            enclave,
            identity,
            policy,
            by,
        } => {
            record.enclave.clone_from(enclave);
            record.name = policy.clone().unwrap_or_default();
            record.identity = identity.as_bytes().to_vec();
            record.set_caller(*by, Timestamp::UNIX_EPOCH);
            8
        }
        Operation::CreateIdentity {
            enclave,
            identity,
            at,
            by,
        } => {
            record.enclave.clone_from(enclave);
            record.identity = identity.identity.as_bytes().to_vec();
            record.privilege = identity.privilege.number();
            record.is_service_account = identity.is_service_account;
            record.tags.clone_from(&identity.tags);
            record.set_caller(*by, *at);
            9
        }
        Operation::DeleteIdentity {
            enclave,
            identity,
            by,
        } => {
            record.enclave.clone_from(enclave);
            record.identity = identity.as_bytes().to_vec();
            record.set_caller(*by, Timestamp::UNIX_EPOCH);
            10
        }
        Operation::SetRoot { identity } => {
            record.identity = identity.as_bytes().to_vec();
            11
        }
        Operation::Restore(state) => {
            record.state = std::mem::take(&mut *backup::encode_records(state));
            12
        }
    };
    (number, record)
}

/// None if a field does not hold what the operation needs.
fn from_record(number: u32, mut record: OperationRecord) -> Option<Operation> {
    let enclave = std::mem::take(&mut record.enclave);
    let name = std::mem::take(&mut record.name);
    Some(match number {
        1 => Operation::CreateEnclave {
            name,
            created: record.created()?,
        },
        2 => Operation::DeleteEnclave { name },
        3 => Operation::CreateKey {
            enclave,
            name,
            cipher: record.cipher()?,
            key: SecretKey::try_from(record.key.as_slice()).ok()?,
            add_version: record.add_version,
            created: record.created()?,
        },
        4 => Operation::ImportKey {
            enclave,
            name,
            cipher: record.cipher()?,
            key: SecretKey::try_from(record.key.as_slice()).ok()?,
            created: record.created()?,
        },
        5 => Operation::DeleteKey {
            enclave,
            name,
            versions: match (record.version, record.all_versions) {
                (0, false) => Versions::Latest,
                (version, false) => Versions::One(version),
                (0, true) => Versions::All,
                (_, true) => return None,
            },
        },
        6 => Operation::CreatePolicy {
            enclave,
            name,
            rules: Arc::new(rules_from_records(&record.allow, &record.deny).ok()?),
            created: record.created()?,
        },
        7 => Operation::DeletePolicy { enclave, name },
        8 => Operation::AssignPolicy {
            enclave,
            identity: record.identity()?,
            policy: (!name.is_empty()).then_some(name),
            by: record.caller()?,
        },
        9 => Operation::CreateIdentity {
            enclave,
            identity: NewIdentity {
                identity: record.identity()?,
                privilege: Privilege::from_number(record.privilege)?,
                is_service_account: record.is_service_account,
                tags: std::mem::take(&mut record.tags),
            },
            at: record.created()?.at,
            by: record.caller()?,
        },
        10 => Operation::DeleteIdentity {
            enclave,
            identity: record.identity()?,
            by: record.caller()?,
        },
        11 => Operation::SetRoot {
            identity: record.identity()?,
        },
        12 => Operation::Restore(Box::new(backup::decode_records(&record.state).ok()?)),
        _ => return None,
    })
}

// === impl OperationRecord ===

impl OperationRecord {
    fn set_caller(&mut self, by: Caller, at: Timestamp) {
        let by_identity = by.identity;
        self.by_root = by.is_root;
        self.created = Some(
            Created {
                at,
                by: by_identity,
            }
            .into(),
        );
    }

    fn created(&self) -> Option<Created> {
        self.created.as_ref().try_into().ok()
    }

    fn caller(&self) -> Option<Caller> {
        Some(Caller {
            identity: self.created()?.by,
            is_root: self.by_root,
        })
    }

    fn identity(&self) -> Option<KmsIdentity> {
        // Nobody included: what cannot be applied is refused there, and an entry of the
        // log must never be unreadable.
        let bytes = self.identity.as_slice().try_into().ok()?;
        Some(KmsIdentity::from_bytes(bytes))
    }

    /// The outer option is whether the number means anything.
    #[expect(clippy::option_option, reason = "no cipher was asked for")]
    fn cipher(&self) -> Option<Option<keystead_crypto::Cipher>> {
        match self.cipher {
            0 => Some(None),
            number => cipher(number).map(Some),
        }
    }
}
