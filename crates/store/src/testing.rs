//! Names and shorthands for the tests of this crate.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use keystead_crypto::{Cipher, Error, Random, SecretKey};
use keystead_identity::KmsIdentity;
use keystead_policy::rules::Rules;
use keystead_wire_kms::message::ListRequest;
use keystead_wire_kms::{ApiError, Command, Privilege};

use crate::{
    Caller, Change, Created, Enclave, KeyEntry, NewIdentity, Operation, Record, State, Versions,
    apply,
};

/// The enclave of most tests.
pub(crate) const TENANT: &str = "tenant-a";

pub(crate) const ROOT: Caller = Caller {
    identity: KmsIdentity::NOBODY,
    is_root: true,
};

/// A state under test.
#[derive(Clone, Default)]
pub(crate) struct World(pub(crate) State);

// === impl World ===

impl World {
    /// With an enclave in it.
    pub(crate) fn new() -> Self {
        let mut world = Self::default();
        world.must(create_enclave(TENANT));
        world
    }

    /// With an admin, and a user who has no policy.
    pub(crate) fn with_people() -> Self {
        let mut world = Self::new();
        world.must(create_identity(ROOT, ADMIN, Privilege::Admin, false));
        world.must(create_identity(ROOT, USER, Privilege::User, false));
        world
    }

    #[expect(clippy::needless_pass_by_value, reason = "made for the call")]
    pub(crate) fn apply(&mut self, operation: Operation) -> Result<(), ApiError> {
        let (state, changes) = apply(&self.0, &operation)?;
        assert_eq!(state.commit(), self.0.commit() + 1);
        assert!(!changes.is_empty());
        self.0 = state;
        Ok(())
    }

    #[track_caller]
    pub(crate) fn must(&mut self, operation: Operation) {
        let name = operation.name();
        if let Err(error) = self.apply(operation) {
            panic!("{name}: {error}");
        }
    }

    /// The error of an operation that must fail.
    #[track_caller]
    pub(crate) fn error(&mut self, operation: Operation) -> ApiError {
        let before = self.0.clone();
        let error = self.apply(operation).expect_err("a rule forbids this");
        assert_eq!(self.0, before);
        error
    }

    /// Status and text of an operation that must fail.
    #[track_caller]
    pub(crate) fn refusal(&mut self, operation: Operation) -> (u16, String) {
        let error = self.error(operation);
        (error.status.as_u16(), error.message.into_owned())
    }

    pub(crate) fn tenant(&self) -> &Enclave {
        self.0.enclave(TENANT).expect("made by the test")
    }

    pub(crate) fn key(&self, name: &str) -> &KeyEntry {
        self.tenant().key(name).expect("made by the test")
    }
}

/// An identity of its own for each number.
pub(crate) const fn who(number: u8) -> KmsIdentityNumber {
    KmsIdentityNumber(number)
}

/// Stands for an identity in constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct KmsIdentityNumber(pub(crate) u8);

pub(crate) const ADMIN: KmsIdentityNumber = who(1);
pub(crate) const USER: KmsIdentityNumber = who(2);

impl From<KmsIdentityNumber> for KmsIdentity {
    fn from(number: KmsIdentityNumber) -> Self {
        // Spread over the whole range, so that the orders of bytes and text differ.
        Self::from_bytes([number.0.wrapping_mul(37).wrapping_add(11); 32])
    }
}

pub(crate) fn by(number: KmsIdentityNumber) -> Caller {
    Caller {
        identity: number.into(),
        is_root: false,
    }
}

pub(crate) fn created(number: u8) -> Created {
    Created {
        at: time(number),
        by: who(number).into(),
    }
}

pub(crate) fn time(number: u8) -> Timestamp {
    Timestamp::new(1_700_000_000 + i64::from(number), i32::from(number)).expect("in range")
}

pub(crate) fn secret(byte: u8) -> SecretKey {
    SecretKey::from_bytes([byte; 32])
}

pub(crate) fn create_enclave(name: &str) -> Operation {
    Operation::CreateEnclave {
        name: name.to_owned(),
        created: created(0),
    }
}

pub(crate) fn create_key(name: &str) -> Operation {
    key(name, None, false)
}

pub(crate) fn add_version(name: &str) -> Operation {
    key(name, None, true)
}

pub(crate) fn key(name: &str, cipher: Option<Cipher>, add_version: bool) -> Operation {
    Operation::CreateKey {
        enclave: TENANT.to_owned(),
        name: name.to_owned(),
        cipher,
        key: secret(7),
        add_version,
        created: created(3),
    }
}

pub(crate) fn import(name: &str, cipher: Option<Cipher>) -> Operation {
    Operation::ImportKey {
        enclave: TENANT.to_owned(),
        name: name.to_owned(),
        cipher,
        key: secret(9),
        created: created(4),
    }
}

pub(crate) fn delete_key(name: &str, versions: Versions) -> Operation {
    Operation::DeleteKey {
        enclave: TENANT.to_owned(),
        name: name.to_owned(),
        versions,
    }
}

pub(crate) fn create_policy(name: &str, pattern: &str) -> Operation {
    Operation::CreatePolicy {
        enclave: TENANT.to_owned(),
        name: name.to_owned(),
        rules: rules(pattern),
        created: created(5),
    }
}

/// Allows keys of a pattern to be listed and used.
pub(crate) fn rules(pattern: &str) -> Arc<Rules> {
    let codes = [Command::ListKeys, Command::GenerateKey].map(Command::code);
    let allow = codes.map(|code| (code, [pattern]));
    let deny: [(u16, [&str; 1]); 0] = [];
    Arc::new(Rules::new(allow, deny).expect("a pattern"))
}

pub(crate) fn delete_policy(name: &str) -> Operation {
    Operation::DeletePolicy {
        enclave: TENANT.to_owned(),
        name: name.to_owned(),
    }
}

pub(crate) fn assign(by: Caller, to: KmsIdentityNumber, policy: Option<&str>) -> Operation {
    Operation::AssignPolicy {
        enclave: TENANT.to_owned(),
        identity: to.into(),
        policy: policy.map(str::to_owned),
        by,
    }
}

pub(crate) fn create_identity(
    by: Caller,
    who: KmsIdentityNumber,
    privilege: Privilege,
    is_service_account: bool,
) -> Operation {
    Operation::CreateIdentity {
        enclave: TENANT.to_owned(),
        identity: NewIdentity {
            identity: who.into(),
            privilege,
            is_service_account,
            tags: BTreeMap::new(),
        },
        at: time(6),
        by,
    }
}

pub(crate) fn service_account(parent: KmsIdentityNumber, who: KmsIdentityNumber) -> Operation {
    create_identity(by(parent), who, Privilege::User, true)
}

pub(crate) fn delete_identity(by: Caller, who: KmsIdentityNumber) -> Operation {
    Operation::DeleteIdentity {
        enclave: TENANT.to_owned(),
        identity: who.into(),
        by,
    }
}

pub(crate) fn list(prefix: &str, continue_at: &str, limit: u32) -> ListRequest {
    ListRequest {
        prefix: prefix.to_owned(),
        continue_at: continue_at.to_owned(),
        limit,
    }
}

/// The disk of the tests: what the changes say there is.
#[derive(Default)]
pub(crate) struct Disk(BTreeMap<(crate::Table, Vec<u8>), Vec<u8>>);

// === impl Disk ===

impl Disk {
    pub(crate) fn write(&mut self, changes: &[Change]) {
        for change in changes {
            let place = (change.table, change.key.clone());
            match &change.value {
                Some(value) => self.0.insert(place, value.to_vec()),
                None => self.0.remove(&place),
            };
        }
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        let record = |((table, key), value): (&(crate::Table, Vec<u8>), &Vec<u8>)| Record {
            table: *table,
            key: key.clone(),
            value: value.clone().into(),
        };
        self.0.iter().map(record).collect()
    }
}

/// Gives the bytes of a text one after the other, then zeros.
pub(crate) struct Fixed(std::sync::Mutex<Vec<u8>>);

// === impl Fixed ===

impl Fixed {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(std::sync::Mutex::new(bytes.to_vec()))
    }
}

impl Random for Fixed {
    fn fill(&self, out: &mut [u8]) -> Result<(), Error> {
        let mut bytes = self.0.lock().expect("one thread");
        let count = out.len().min(bytes.len());
        out.fill(0);
        for (to, from) in out.iter_mut().zip(bytes.drain(..count)) {
            *to = from;
        }
        Ok(())
    }
}
