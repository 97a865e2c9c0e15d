//! A state as its records, and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message;
use zeroize::Zeroizing;

use keystead_identity::KmsIdentity;

use super::identity::Kind;
use super::{Created, Enclave, IdentityEntry, IdentityName, KeyEntry, PolicyEntry, State, record};
use crate::{Change, Digest, Error, Record, Table};

/// What is recorded about all other records.
#[derive(Clone, PartialEq, Message)]
struct HeadRecord {
    #[prost(uint64, tag = "1")]
    commit: u64,
    #[prost(bytes = "vec", tag = "2")]
    digest: Vec<u8>,
}

/// A state that is being read.
#[derive(Default)]
struct Loader {
    state: State,
    head: Option<HeadRecord>,
    enclaves: BTreeMap<Box<str>, Part>,
}

/// An enclave of which some records were read. Records come in any order.
struct Part {
    enclave: Enclave,
    has_own_record: bool,
}

// === impl State ===

impl State {
    /// Every record, secrets in clear. [`load`](Self::load) makes an equal state of
    /// them.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        let recent = self.recent.records().filter_map(from_change);
        [head(self)].into_iter().chain(content(self)).chain(recent)
    }

    /// The state whose records these are, in any order.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] and [`Error::Inconsistent`]; [`Error::Digest`] if the
    /// records are not those of one state.
    pub fn load(records: impl IntoIterator<Item = Record>) -> Result<Self, Error> {
        let mut loader = Loader::default();
        for record in records {
            loader.add(&record)?;
        }
        loader.finish()
    }

    /// A state of enclaves whose records do not exist yet.
    pub(crate) fn assemble(
        root: Option<KmsIdentity>,
        enclaves: impl IntoIterator<Item = Enclave>,
    ) -> Result<Self, Error> {
        let mut state = Self {
            root,
            ..Self::default()
        };
        for enclave in enclaves {
            let enclave = connect(enclave)?;
            for (identity, _) in enclave.identities.iter() {
                state.register(*identity);
            }
            let name = Arc::clone(&enclave.name);
            state.enclaves.insert(name, Arc::new(enclave));
        }
        let mut digest = Digest::default();
        for record in content(&state) {
            digest.add(record.table, &record.key, &record.value);
        }
        state.digest = digest;
        Ok(state)
    }
}

/// The record of what is known about all others.
pub(super) fn head(state: &State) -> Record {
    let head = HeadRecord {
        commit: state.commit,
        digest: state.digest.to_bytes().to_vec(),
    };
    Record {
        table: Table::Head,
        key: Vec::new(),
        value: Zeroizing::new(head.encode_to_vec()),
    }
}

/// The records that the digest covers.
pub(super) fn content(state: &State) -> impl Iterator<Item = Record> {
    let root = state.root.map(|root| Record {
        table: Table::Root,
        key: Vec::new(),
        value: Zeroizing::new(root.as_bytes().to_vec()),
    });
    let enclaves = state.enclaves().flat_map(enclave_records);
    root.into_iter().chain(enclaves)
}

fn enclave_records(enclave: &Enclave) -> impl Iterator<Item = Record> {
    let own = Record {
        table: Table::Enclave,
        key: enclave.name().as_bytes().to_vec(),
        value: enclave.encode(),
    };
    let inside = move |table, name: &str, value| Record {
        table,
        key: record::key_in(enclave.name(), name.as_bytes()),
        value,
    };
    let policies = enclave.policies.iter();
    let policies = policies.map(move |(name, it)| inside(Table::Policy, name, it.encode()));
    let identities = enclave.identities.iter();
    let identities =
        identities.map(move |(name, it)| inside(Table::Identity, name.as_str(), it.encode()));
    let keys = enclave.keys.iter();
    let keys = keys.map(move |(name, it)| inside(Table::Key, name, it.encode()));
    [own]
        .into_iter()
        .chain(policies)
        .chain(identities)
        .chain(keys)
}

fn from_change(change: Change) -> Option<Record> {
    Some(Record {
        table: change.table,
        key: change.key,
        value: change.value?,
    })
}

// === impl Loader ===

impl Loader {
    fn add(&mut self, record: &Record) -> Result<(), Error> {
        let Record { table, key, value } = record;
        match table {
            Table::Head => {
                let head = record::decode(value, "head of the state")?;
                self.head = Some(head);
            }
            Table::Recent => self.state.recent.load(value)?,
            Table::Root => {
                let root = record::identity(value);
                self.state.root = Some(root.ok_or(Error::malformed("root identity"))?);
            }
            Table::Enclave => {
                let name = str::from_utf8(key).map_err(|_| Error::malformed("enclave name"))?;
                let created = Enclave::decode(name, value)?.created;
                let part = self.part(name);
                part.enclave.created = created;
                part.has_own_record = true;
            }
            Table::Policy => {
                let (enclave, name) = split_names(key)?;
                let entry = Arc::new(PolicyEntry::decode(value)?);
                self.part(enclave)
                    .enclave
                    .policies
                    .insert(name.into(), entry);
            }
            Table::Key => {
                let (enclave, name) = split_names(key)?;
                let entry = Arc::new(KeyEntry::decode(value)?);
                self.part(enclave).enclave.keys.insert(name.into(), entry);
            }
            Table::Identity => {
                let (enclave, name) = split_names(key)?;
                let name = identity_name(name)?;
                let entry = Arc::new(IdentityEntry::decode(value)?);
                let old = self.part(enclave).enclave.identities.insert(name, entry);
                if old.is_none() {
                    self.state.register(name);
                }
            }
        }
        if !matches!(table, Table::Head | Table::Recent) {
            self.state.digest.add(*table, key, value);
        }
        Ok(())
    }

    fn part(&mut self, enclave: &str) -> &mut Part {
        self.enclaves.entry(enclave.into()).or_insert_with(|| {
            let created = Created {
                at: jiff::Timestamp::UNIX_EPOCH,
                by: KmsIdentity::NOBODY,
            };
            Part {
                enclave: Enclave::new(enclave, created),
                has_own_record: false,
            }
        })
    }

    fn finish(mut self) -> Result<State, Error> {
        for part in self.enclaves.into_values() {
            if !part.has_own_record {
                return Err(Error::inconsistent(
                    "a record of an enclave that is missing",
                ));
            }
            let enclave = connect(part.enclave)?;
            let name = Arc::clone(&enclave.name);
            self.state.enclaves.insert(name, Arc::new(enclave));
        }
        let Some(head) = self.head else {
            let is_new = self.state.digest.count() == 0;
            return is_new.then_some(self.state).ok_or(Error::Digest);
        };
        self.state.commit = head.commit;
        match head.digest == self.state.digest.to_bytes() {
            true => Ok(self.state),
            false => Err(Error::Digest),
        }
    }
}

/// Gives parents their service accounts, and checks what identities refer to.
fn connect(mut enclave: Enclave) -> Result<Enclave, Error> {
    let mut links = Vec::new();
    for (name, entry) in enclave.identities.iter() {
        match (&entry.kind, enclave.holder(entry)) {
            (
                Kind::User {
                    policy: Some(policy),
                },
                _,
            ) if enclave.policy(policy).is_none() => {
                return Err(Error::inconsistent("an assigned policy is missing"));
            }
            (Kind::ServiceAccount, Some(parent)) if !parent.is_service_account() => {
                links.push((entry.created.by, *name));
            }
            (Kind::ServiceAccount, _) => {
                return Err(Error::inconsistent("a service account without a parent"));
            }
            _ => {}
        }
    }
    for (parent, name) in links {
        enclave.link(&parent, name);
    }
    Ok(enclave)
}

fn split_names(key: &[u8]) -> Result<(&str, &str), Error> {
    let (enclave, name) = record::split_key(key)?;
    let name = str::from_utf8(name).map_err(|_| Error::malformed("key of a record"))?;
    Ok((enclave, name))
}

/// An identity by its one canonical text.
fn identity_name(text: &str) -> Result<IdentityName, Error> {
    let malformed = || Error::malformed("identity");
    let identity: KmsIdentity = text.parse().map_err(|_| malformed())?;
    let name = IdentityName::from(&identity);
    match name.as_str() == text {
        true => Ok(name),
        false => Err(malformed()),
    }
}
