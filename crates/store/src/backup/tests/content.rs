use keystead_wire_kms::message::{
    BackupIdentity, BackupKeyRing, BackupKeyVersion, BackupPolicy, BackupRoot,
    EnclaveStatusResponse, IdentityResponse, KeyStatusResponse, PolicyResponse,
};
use keystead_wire_kms::to_timestamp;
use prost::Message;

use crate::backup::decode_records;
use crate::testing::*;
use crate::{Error, State};

/// Records of a backup by hand.
#[derive(Clone, Default)]
struct Records(Vec<u8>);

impl Records {
    fn start() -> Self {
        Self::default().root("").enclave("a")
    }

    fn add(mut self, code: u16, message: &impl Message) -> Self {
        let payload = message.encode_to_vec();
        let length = u32::try_from(payload.len()).expect("short");
        self.0.extend_from_slice(&code.to_be_bytes());
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(&payload);
        self
    }

    fn root(self, identity: &str) -> Self {
        let identity = identity.to_owned();
        self.add(6, &BackupRoot { identity })
    }

    fn enclave(self, name: &str) -> Self {
        let message = EnclaveStatusResponse {
            name: name.to_owned(),
            created_at: Some(to_timestamp(time(1))),
            created_by: String::new(),
        };
        self.add(1, &message)
    }

    fn ring(self, name: &str, highest_version: u32) -> Self {
        let message = BackupKeyRing {
            enclave: "a".to_owned(),
            name: name.to_owned(),
            highest_version,
        };
        self.add(5, &message)
    }

    fn version(self, name: &str, version: u32) -> Self {
        self.add(4, &key_version(name, version))
    }

    fn identity(self, identity: IdentityResponse) -> Self {
        let message = BackupIdentity {
            enclave: "a".to_owned(),
            identity: Some(identity),
        };
        self.add(3, &message)
    }

    fn read(&self) -> Result<State, Error> {
        decode_records(&self.0)
    }
}

fn key_version(name: &str, version: u32) -> BackupKeyVersion {
    BackupKeyVersion {
        enclave: "a".to_owned(),
        status: Some(KeyStatusResponse {
            name: name.to_owned(),
            version,
            r#type: "AES256".to_owned(),
            created_at: Some(to_timestamp(time(1))),
            created_by: String::new(),
        }),
        key: vec![1; 32],
        imported: false,
    }
}

fn user(number: u8) -> IdentityResponse {
    IdentityResponse {
        identity: keystead_identity::KmsIdentity::from(who(number)).to_string(),
        privilege: 3,
        created_at: Some(to_timestamp(time(1))),
        ..IdentityResponse::default()
    }
}

fn policy(allow: &str) -> BackupPolicy {
    let set = ["*"].into_iter().collect();
    BackupPolicy {
        enclave: "a".to_owned(),
        policy: Some(PolicyResponse {
            name: "p".to_owned(),
            allow: [(allow.to_owned(), set)].into(),
            created_at: Some(to_timestamp(time(1))),
            ..PolicyResponse::default()
        }),
    }
}

#[test]
fn what_belongs_together_is_read() {
    let with_policy = IdentityResponse {
        policy: "p".to_owned(),
        ..user(1)
    };
    let account = IdentityResponse {
        is_service_account: true,
        created_by: user(1).identity,
        ..user(2)
    };
    let records = Records::start()
        // The child before its parent, as the order of texts may have it.
        .identity(account)
        .identity(with_policy)
        .add(2, &policy("KEY:GENERATE"))
        .ring("k", 9)
        .version("k", 2)
        .version("k", 5)
        .enclave("b");
    let state = records.read().expect("a state");
    let enclave = state.enclave("a").expect("an enclave");
    let ring = enclave.key("k").expect("a key").ring();
    assert_eq!((ring.highest(), ring.count()), (9, 2));
    let parent = enclave.identity(&who(1).into()).expect("registered");
    assert_eq!(parent.service_accounts().count(), 1);
    assert_eq!(parent.policy(), Some("p"));
    assert!(state.is_registered(&who(2).into()));
    assert_eq!(state.root(), None);
}

#[test]
fn contradictions_are_refused() {
    let start = Records::start;
    let admin_with_policy = IdentityResponse {
        privilege: 2,
        policy: "p".to_owned(),
        ..user(1)
    };
    let policy_missing = IdentityResponse {
        policy: "p".to_owned(),
        ..user(1)
    };
    let orphan = IdentityResponse {
        is_service_account: true,
        created_by: user(1).identity,
        ..user(2)
    };
    let nested = IdentityResponse {
        is_service_account: true,
        created_by: user(2).identity,
        ..user(3)
    };
    let sysadmin = IdentityResponse {
        privilege: 1,
        ..user(1)
    };
    let nobody = IdentityResponse {
        identity: String::new(),
        ..user(1)
    };
    let bad_tags = IdentityResponse {
        tags: [(String::new(), String::new())].into(),
        ..user(1)
    };
    let mut short_key = key_version("k", 1);
    short_key.key.pop();
    let mut no_type = key_version("k", 1);
    if let Some(status) = &mut no_type.status {
        status.r#type.clear();
    }
    let cases = [
        ("nothing", Records::default()),
        ("no root first", Records::default().enclave("a")),
        ("two roots", start().root("")),
        ("no identity", Records::default().root("root")),
        ("two enclaves of one name", start().enclave("a")),
        ("an illegal name", start().enclave("a/b")),
        (
            "two keys of one name",
            start()
                .ring("k", 1)
                .version("k", 1)
                .ring("k", 1)
                .version("k", 1),
        ),
        (
            "an illegal key name",
            start().ring("a b", 1).version("a b", 1),
        ),
        ("a ring without versions", start().ring("k", 1)),
        ("a version without ring", start().version("k", 1)),
        (
            "a version of another ring",
            start().ring("k", 1).version("x", 1),
        ),
        ("version 0", start().ring("k", 1).version("k", 0)),
        (
            "a version above the highest",
            start().ring("k", 1).version("k", 2),
        ),
        (
            "versions out of order",
            start().ring("k", 2).version("k", 2).version("k", 1),
        ),
        (
            "a version twice",
            start().ring("k", 2).version("k", 2).version("k", 2),
        ),
        ("a short key", start().ring("k", 1).add(4, &short_key)),
        ("a key without type", start().ring("k", 1).add(4, &no_type)),
        (
            "a policy of an unknown enclave",
            Records::default().root("").add(2, &policy("KEY:MAC")),
        ),
        (
            "a policy that cannot be",
            start().add(2, &policy("ENCLAVE:CREATE")),
        ),
        (
            "a policy twice",
            start()
                .add(2, &policy("KEY:MAC"))
                .add(2, &policy("KEY:MAC")),
        ),
        (
            "an identity twice",
            start().identity(user(1)).identity(user(1)),
        ),
        (
            "an admin with a policy",
            start()
                .add(2, &policy("KEY:MAC"))
                .identity(admin_with_policy),
        ),
        ("a policy that is missing", start().identity(policy_missing)),
        (
            "a service account without parent",
            start().identity(orphan.clone()),
        ),
        (
            "a service account of one",
            start().identity(user(1)).identity(orphan).identity(nested),
        ),
        ("a system admin", start().identity(sysadmin)),
        ("nobody", start().identity(nobody)),
        ("illegal tags", start().identity(bad_tags)),
        ("an unknown code", start().add(7, &BackupRoot::default())),
    ];
    for (name, records) in cases {
        assert!(records.read().is_err(), "{name}");
    }
}

#[test]
fn a_cut_inside_a_record_is_noticed() {
    let records = Records::start().ring("k", 1).version("k", 1).0;
    let whole = decode_records(&records).expect("a state");
    for length in 0..records.len() {
        // A cut between records is a smaller state; the stream notices that.
        if let Ok(state) = decode_records(&records[..length]) {
            assert!(state != whole, "{length} bytes");
        }
    }
}
