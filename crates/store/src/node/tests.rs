//! A node as its users and its enemies see it.

mod faults;
mod hsms;
mod life;
mod rotation;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use keystead_crypto::{SecretKey, SystemRandom, sha256};
use keystead_hsm::{Hsm, HsmKey, SoftHsm};
use keystead_identity::KmsIdentity;
use keystead_policy::rules::Rules;
use keystead_wire_kms::{Command, Privilege};
use tokio::task::JoinSet;

use super::{OpenError, Opened, Options, ProposeError, Store};
use crate::disk::faulty::FaultyDisk;
use crate::{Caller, Created, NewIdentity, Operation, State};

const HSM_KEY: &str = "hsm:aes256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const HOST: &str = "localhost:7373";
const ENCLAVE: &str = "secret-enclave";

fn soft(key: &str) -> Arc<dyn Hsm> {
    let key = HsmKey::parse(key).unwrap();
    Arc::new(SoftHsm::new(&key, Arc::new(SystemRandom)).unwrap())
}

fn options(dir: &Path) -> Options {
    Options::new(dir.to_owned(), HOST.to_owned(), vec![soft(HSM_KEY)])
}

async fn open(dir: &Path) -> Store {
    Store::open(options(dir)).await.unwrap().store
}

async fn open_on(disk: &FaultyDisk, dir: &Path) -> Result<Store, OpenError> {
    let opened = Store::open_on(Arc::new(disk.clone()), options(dir)).await;
    opened.map(|Opened { store, .. }| store)
}

fn created() -> Created {
    Created {
        at: Timestamp::UNIX_EPOCH,
        by: KmsIdentity::NOBODY,
    }
}

fn create_enclave() -> Operation {
    Operation::CreateEnclave {
        name: ENCLAVE.to_owned(),
        created: created(),
    }
}

fn identity() -> KmsIdentity {
    KmsIdentity::from_bytes(bytes("identity"))
}

fn create_identity() -> Operation {
    Operation::CreateIdentity {
        enclave: ENCLAVE.to_owned(),
        identity: NewIdentity {
            identity: identity(),
            privilege: Privilege::User,
            is_service_account: false,
            tags: [("secret-tag".to_owned(), "secret-tag".to_owned())].into(),
        },
        at: created().at,
        by: Caller {
            identity: KmsIdentity::from_bytes(bytes("root")),
            is_root: true,
        },
    }
}

fn create_policy() -> Operation {
    let nothing: [(u16, [&str; 0]); 0] = [];
    let rules = Rules::new([(Command::CreateKey.code(), ["secret-policy*"])], nothing);
    Operation::CreatePolicy {
        enclave: ENCLAVE.to_owned(),
        name: "secret-policy".to_owned(),
        rules: Arc::new(rules.unwrap()),
        created: created(),
    }
}

/// The bytes of a key follow from its name.
fn bytes(name: &str) -> [u8; 32] {
    sha256(name.as_bytes())
}

fn create_key(name: &str) -> Operation {
    Operation::CreateKey {
        enclave: ENCLAVE.to_owned(),
        name: name.to_owned(),
        cipher: None,
        key: SecretKey::from_bytes(bytes(name)),
        add_version: false,
        created: created(),
    }
}

fn has_key(state: &State, name: &str) -> bool {
    let enclave = state.enclave(ENCLAVE).expect("the enclave is there");
    enclave.key(name).is_some_and(|entry| {
        assert_eq!(entry.ring().latest().key.expose(), &bytes(name));
        true
    })
}

/// Creates keys from several tasks until the store refuses, and gives the names that
/// were confirmed with the error that ended it.
async fn create_until_refused(store: &Store, prefix: &str) -> (Vec<String>, ProposeError) {
    let mut tasks = JoinSet::new();
    for task in 0..4 {
        let (store, prefix) = (store.clone(), prefix.to_owned());
        tasks.spawn(async move {
            let mut confirmed = Vec::new();
            for number in 0.. {
                let name = format!("{prefix}-{task}-{number}");
                match store.propose(create_key(&name)).await {
                    Ok(()) => confirmed.push(name),
                    Err(error) => return (confirmed, error),
                }
            }
            unreachable!("it is refused some time");
        });
    }
    let mut all = Vec::new();
    let mut last = None;
    for (confirmed, error) in tasks.join_all().await {
        all.extend(confirmed);
        last = Some(error);
    }
    (all, last.unwrap())
}

/// Creates `count` keys from as many tasks.
async fn create_at_once(store: &Store, prefix: &str, count: usize) -> Vec<String> {
    let mut tasks = JoinSet::new();
    for number in 0..count {
        let store = store.clone();
        let name = format!("{prefix}-{number}");
        tasks.spawn(async move {
            store.propose(create_key(&name)).await.unwrap();
            name
        });
    }
    tasks.join_all().await
}
