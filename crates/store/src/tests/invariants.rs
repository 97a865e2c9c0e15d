//! What is true of every state.

use std::collections::BTreeMap;

use keystead_identity::KmsIdentity;

use crate::{Digest, State, Table};

/// Panics if the state contradicts itself.
pub(super) fn check(state: &State) {
    let mut registered: BTreeMap<String, u64> = BTreeMap::new();
    for enclave in state.enclaves() {
        let mut accounts = Vec::new();
        for (name, entry) in enclave.identities.iter() {
            *registered.entry(name.as_str().to_owned()).or_default() += 1;
            if let Some(policy) = entry.policy() {
                assert!(enclave.policy(policy).is_some(), "{policy} is missing");
            }
            if let Some(parent) = entry.parent() {
                let parent = enclave.identity(&parent).expect("a parent");
                assert!(!parent.is_service_account());
                let mut names = parent.service_accounts();
                assert!(names.any(|account| account == name.as_str()));
                assert_eq!(entry.service_accounts().count(), 0);
            }
            accounts.extend(entry.service_accounts().map(str::to_owned));
            let identity: KmsIdentity = name.as_str().parse().expect("an identity");
            assert!(enclave.rights_of(&identity).is_some());
            assert!(state.is_registered(&identity));
        }
        for account in accounts {
            let identity: KmsIdentity = account.parse().expect("an identity");
            let entry = enclave.identity(&identity).expect("registered");
            assert!(entry.is_service_account());
        }
        for (name, key) in enclave.keys.iter() {
            assert!(key.ring().latest().version <= key.ring().highest());
            assert!(key.status(name, 0).is_ok());
        }
    }
    let counts = state.registered.iter();
    let counts = counts.map(|(name, count)| (name.as_str().to_owned(), *count));
    assert_eq!(counts.collect::<BTreeMap<_, _>>(), registered);

    let mut digest = Digest::default();
    for record in state.records() {
        if !matches!(record.table, Table::Head | Table::Recent) {
            digest.add(record.table, &record.key, &record.value);
        }
    }
    assert_eq!(digest, state.digest());
}
