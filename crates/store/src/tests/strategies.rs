//! Operations on few names, so that they meet each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use keystead_crypto::Cipher;
use keystead_policy::rules::Rules;
use keystead_wire_kms::{Command, Privilege};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::testing::*;
use crate::{Batch, Caller, NewIdentity, Operation, OperationId, State, Versions, apply_batch};

pub(super) fn batches() -> impl Strategy<Value = Vec<Batch>> {
    vec(batch(operation()), 0..12)
}

fn batch(operation: impl Strategy<Value = Operation>) -> impl Strategy<Value = Batch> {
    // Some ids come twice.
    let id = (0..200_u8).prop_map(|byte| OperationId([byte; 16]));
    vec((id, operation), 0..8).prop_map(|operations| Batch { operations })
}

/// A state that some operations made.
pub(super) fn state() -> impl Strategy<Value = State> {
    vec(plain_operation(), 0..60).prop_map(|operations| {
        let ids = (0..=u8::MAX).map(|byte| OperationId([byte; 16]));
        let first = [create_enclave("a"), create_enclave("b")];
        let operations = ids.zip(first.into_iter().chain(operations)).collect();
        apply_batch(&State::default(), &Batch { operations }).state
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        40 => plain_operation(),
        1 => state().prop_map(|state| Operation::Restore(Box::new(state))),
    ]
}

fn plain_operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        3 => (enclave(), 0..9_u8).prop_map(|(name, number)| Operation::CreateEnclave {
            name,
            created: created(number),
        }),
        1 => enclave().prop_map(|name| Operation::DeleteEnclave { name }),
        8 => create_key(),
        2 => import_key(),
        3 => (enclave(), key_name(), versions()).prop_map(|(enclave, name, versions)| {
            Operation::DeleteKey { enclave, name, versions }
        }),
        4 => create_policy(),
        1 => (enclave(), policy_name())
            .prop_map(|(enclave, name)| Operation::DeletePolicy { enclave, name }),
        4 => (enclave(), people(), option::of(policy_name()), caller()).prop_map(
            |(enclave, who, policy, by)| Operation::AssignPolicy {
                enclave,
                identity: who.into(),
                policy,
                by,
            }
        ),
        10 => create_identity(),
        2 => (enclave(), people(), caller()).prop_map(|(enclave, who, by)| {
            Operation::DeleteIdentity { enclave, identity: who.into(), by }
        }),
        1 => people().prop_map(|who| Operation::SetRoot { identity: who.into() }),
    ]
}

fn create_key() -> impl Strategy<Value = Operation> {
    (
        enclave(),
        key_name(),
        cipher(),
        any::<u8>(),
        any::<bool>(),
        0..9_u8,
    )
        .prop_map(
            |(enclave, name, cipher, byte, add_version, number)| Operation::CreateKey {
                enclave,
                name,
                cipher,
                key: secret(byte),
                add_version,
                created: created(number),
            },
        )
}

fn import_key() -> impl Strategy<Value = Operation> {
    (enclave(), key_name(), cipher(), any::<u8>(), 0..9_u8).prop_map(
        |(enclave, name, cipher, byte, number)| Operation::ImportKey {
            enclave,
            name,
            cipher,
            key: secret(byte),
            created: created(number),
        },
    )
}

fn create_policy() -> impl Strategy<Value = Operation> {
    let code = select(vec![
        Command::CreateKey,
        Command::ImportKey,
        Command::ListKeys,
    ]);
    let pattern = select(vec!["*", "a*", "k1", ""]);
    let sets = btree_map(code.prop_map(Command::code), vec(pattern, 0..3), 0..3);
    (enclave(), policy_name(), sets.clone(), sets, 0..9_u8).prop_map(
        |(enclave, name, allow, deny, number)| Operation::CreatePolicy {
            enclave,
            name,
            rules: Arc::new(Rules::new(allow, deny).expect("patterns")),
            created: created(number),
        },
    )
}

fn create_identity() -> impl Strategy<Value = Operation> {
    let privilege = select(vec![Privilege::SysAdmin, Privilege::Admin, Privilege::User]);
    let tags = btree_map("[a-z]{1,3}", "[a-z]{0,3}", 0..3);
    (
        enclave(),
        people(),
        privilege,
        any::<bool>(),
        tags,
        caller(),
        0..9_u8,
    )
        .prop_map(
            |(enclave, who, privilege, is_service_account, tags, by, number)| {
                let tags: BTreeMap<String, String> = tags;
                Operation::CreateIdentity {
                    enclave,
                    identity: NewIdentity {
                        identity: who.into(),
                        privilege,
                        is_service_account,
                        tags,
                    },
                    at: time(number),
                    by,
                }
            },
        )
}

fn enclave() -> impl Strategy<Value = String> {
    select(vec!["a", "b", "missing", "not legal"]).prop_map(str::to_owned)
}

fn key_name() -> impl Strategy<Value = String> {
    select(vec!["k1", "k2", "team/app", "not legal"]).prop_map(str::to_owned)
}

fn policy_name() -> impl Strategy<Value = String> {
    select(vec!["p", "q", ""]).prop_map(str::to_owned)
}

fn people() -> impl Strategy<Value = KmsIdentityNumber> {
    (1..7_u8).prop_map(who)
}

fn caller() -> impl Strategy<Value = Caller> {
    prop_oneof![Just(ROOT), people().prop_map(by)]
}

fn cipher() -> impl Strategy<Value = Option<Cipher>> {
    option::of(select(vec![Cipher::Aes256, Cipher::ChaCha20]))
}

fn versions() -> impl Strategy<Value = Versions> {
    prop_oneof![
        Just(Versions::Latest),
        (0..5_u32).prop_map(Versions::One),
        Just(Versions::All),
    ]
}
