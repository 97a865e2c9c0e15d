use std::collections::BTreeMap;
use std::sync::Arc;

use keystead_crypto::{KeyRing, KeyVersion, SecretKey};
use keystead_identity::KmsIdentity;
use keystead_wire_kms::message::{
    BackupIdentity, BackupKeyRing, BackupKeyVersion, BackupPolicy, BackupRoot,
    EnclaveStatusResponse,
};
use keystead_wire_kms::{Name, Privilege, check_tags, from_timestamp};
use prost::Message;

use super::{ENCLAVE, IDENTITY, KEY_RING, KEY_VERSION, POLICY, ROOT};
use crate::model::{IdentityName, Kind, Map, rules_from_message};
use crate::{Created, Enclave, Error, IdentityEntry, KeyEntry, PolicyEntry, State};

/// A state that is being read from a backup.
#[derive(Default)]
pub(super) struct Builder {
    /// Whether the first record was read, and what it said.
    root: Option<Option<KmsIdentity>>,
    enclaves: BTreeMap<String, Enclave>,
    /// The key whose versions are being read.
    ring: Option<Ring>,
}

struct Ring {
    enclave: String,
    name: String,
    highest: u32,
    versions: Vec<KeyVersion>,
    created: Vec<Created>,
}

// === impl Builder ===

impl Builder {
    pub(super) fn add(&mut self, code: u16, message: &[u8]) -> Result<(), Error> {
        if self.root.is_none() != (code == ROOT) {
            return Err(Error::inconsistent("the root is not the first record"));
        }
        if code != KEY_VERSION {
            self.finish_ring()?;
        }
        match code {
            ROOT => self.add_root(&decode(message)?),
            ENCLAVE => self.add_enclave(decode(message)?),
            POLICY => self.add_policy(&decode(message)?),
            IDENTITY => self.add_identity(decode(message)?),
            KEY_RING => self.add_ring(decode(message)?),
            KEY_VERSION => self.add_version(&decode(message)?),
            _ => Err(Error::malformed("record of a backup: unknown code")),
        }
    }

    pub(super) fn finish(mut self) -> Result<State, Error> {
        self.finish_ring()?;
        let root = self.root.ok_or(Error::inconsistent("no root record"))?;
        State::assemble(root, self.enclaves.into_values())
    }

    fn add_root(&mut self, message: &BackupRoot) -> Result<(), Error> {
        let root = identity(&message.identity)?;
        self.root = Some((!root.is_nobody()).then_some(root));
        Ok(())
    }

    fn add_enclave(&mut self, message: EnclaveStatusResponse) -> Result<(), Error> {
        check(Name::Enclave, &message.name)?;
        let created = created(message.created_at.as_ref(), &message.created_by)?;
        let enclave = Enclave::new(&message.name, created);
        let old = self.enclaves.insert(message.name, enclave);
        unique(old)
    }

    fn add_policy(&mut self, message: &BackupPolicy) -> Result<(), Error> {
        let policy = message.policy.as_ref().ok_or(missing())?;
        check(Name::Policy, &policy.name)?;
        let rules = rules_from_message(&policy.allow, &policy.deny);
        let rules = rules.map_err(|_| Error::malformed("rules of a policy"))?;
        let entry = PolicyEntry {
            rules: Arc::new(rules),
            created: created(policy.created_at.as_ref(), &policy.created_by)?,
        };
        let policies = &mut self.enclave(&message.enclave)?.policies;
        unique(policies.insert(policy.name.as_str().into(), Arc::new(entry)))
    }

    fn add_identity(&mut self, message: BackupIdentity) -> Result<(), Error> {
        let status = message.identity.ok_or(missing())?;
        let who = identity(&status.identity)?;
        if who.is_nobody() {
            return Err(missing());
        }
        check_tags(&status.tags).map_err(|_| Error::malformed("tags of an identity"))?;
        let privilege = Privilege::from_number(status.privilege);
        let policy = match status.policy.as_str() {
            "" => None,
            name => Some(Arc::from(name)),
        };
        let kind = match (status.is_service_account, privilege, policy) {
            (true, Some(Privilege::Admin | Privilege::User), None) => Kind::ServiceAccount,
            (false, Some(Privilege::Admin), None) => Kind::Admin,
            (false, Some(Privilege::User), policy) => Kind::User { policy },
            _ => return Err(Error::malformed("privilege of an identity")),
        };
        let entry = IdentityEntry {
            kind,
            created: created(status.created_at.as_ref(), &status.created_by)?,
            tags: Arc::new(status.tags),
            // They name their parent themselves.
            service_accounts: Map::default(),
        };
        let identities = &mut self.enclave(&message.enclave)?.identities;
        unique(identities.insert(IdentityName::from(&who), Arc::new(entry)))
    }

    fn add_ring(&mut self, message: BackupKeyRing) -> Result<(), Error> {
        check(Name::Key, &message.name)?;
        self.enclave(&message.enclave)?;
        self.ring = Some(Ring {
            enclave: message.enclave,
            name: message.name,
            highest: message.highest_version,
            versions: Vec::new(),
            created: Vec::new(),
        });
        Ok(())
    }

    fn add_version(&mut self, message: &BackupKeyVersion) -> Result<(), Error> {
        let status = message.status.as_ref().ok_or(missing())?;
        let ring = self.ring.as_mut();
        let ring = ring.filter(|it| it.enclave == message.enclave && it.name == status.name);
        let ring = ring.ok_or(Error::inconsistent("a key version apart from its key"))?;
        let last = ring.versions.last().map_or(0, |last| last.version);
        if status.version <= last {
            return Err(Error::inconsistent("key versions out of order"));
        }
        let malformed = |_| Error::malformed("key version");
        ring.versions.push(KeyVersion {
            version: status.version,
            cipher: status.r#type.parse().map_err(malformed)?,
            key: SecretKey::try_from(message.key.as_slice()).map_err(malformed)?,
            imported: message.imported,
        });
        let created = created(status.created_at.as_ref(), &status.created_by)?;
        ring.created.push(created);
        Ok(())
    }

    fn finish_ring(&mut self) -> Result<(), Error> {
        let Some(it) = self.ring.take() else {
            return Ok(());
        };
        let ring = KeyRing::restore(it.versions, it.highest);
        let ring = ring.map_err(|_| Error::inconsistent("a key without fitting versions"))?;
        let entry = KeyEntry::new(ring, it.created).ok_or(missing())?;
        let keys = &mut self.enclave(&it.enclave)?.keys;
        unique(keys.insert(it.name.into(), Arc::new(entry)))
    }

    fn enclave(&mut self, name: &str) -> Result<&mut Enclave, Error> {
        let enclave = self.enclaves.get_mut(name);
        enclave.ok_or(Error::inconsistent("a record before that of its enclave"))
    }
}

fn decode<M: Message + Default>(message: &[u8]) -> Result<M, Error> {
    M::decode(message).map_err(|_| Error::malformed("record of a backup"))
}

fn check(kind: Name, name: &str) -> Result<(), Error> {
    kind.check(name).map_err(|_| Error::malformed("name"))
}

fn created(at: Option<&prost_types::Timestamp>, by: &str) -> Result<Created, Error> {
    let at = at.and_then(from_timestamp);
    Ok(Created {
        at: at.ok_or(Error::malformed("time of creation"))?,
        by: identity(by)?,
    })
}

/// Nobody for an empty text.
fn identity(text: &str) -> Result<KmsIdentity, Error> {
    text.parse().map_err(|_| Error::malformed("identity"))
}

fn unique<T>(old: Option<T>) -> Result<(), Error> {
    old.map_or(Ok(()), |_| {
        Err(Error::inconsistent("two records for one thing"))
    })
}

fn missing() -> Error {
    Error::malformed("record of a backup: a part is missing")
}
