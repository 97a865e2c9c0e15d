use keystead_wire_kms::{ApiError, Privilege};

use crate::testing::*;
use crate::{Batch, Operation, OperationId, Outcome, Versions, apply_batch};

#[test]
fn an_enclave_is_made_once() {
    let mut world = World::new();
    assert_eq!(
        world.error(create_enclave(TENANT)),
        ApiError::ENCLAVE_EXISTS
    );
    let status = world.tenant().status();
    assert_eq!(status.name, TENANT);
    assert_eq!(status.created_by, created(0).by.to_string());
}

#[test]
fn an_enclave_has_a_legal_name() {
    let mut world = World::default();
    for name in ["", ".", "..", "a/b", "a b", "ä", &"x".repeat(129)] {
        let refusal = world.refusal(create_enclave(name));
        assert_eq!(refusal, (400, "invalid name".to_owned()), "{name}");
    }
}

#[test]
fn everything_goes_with_its_enclave() {
    let mut world = World::with_people();
    let empty = World::default().0;
    world.must(create_key("k"));
    world.must(create_policy("p", "*"));
    world.must(assign(ROOT, USER, Some("p")));
    world.must(service_account(USER, who(8)));
    world.must(Operation::DeleteEnclave {
        name: TENANT.to_owned(),
    });
    assert_eq!(world.0, empty);
    assert_eq!(world.0.digest(), empty.digest());
    assert!(!world.0.is_registered(&USER.into()));
    world.must(create_enclave(TENANT));
    assert!(world.tenant().key("k").is_none());
    assert!(world.tenant().identity(&USER.into()).is_none());
}

#[test]
fn a_missing_enclave_is_named_by_every_operation() {
    let mut world = World::default();
    let operations = [
        Operation::DeleteEnclave {
            name: TENANT.to_owned(),
        },
        create_key("k"),
        add_version("k"),
        import("k", None),
        delete_key("k", Versions::All),
        create_policy("p", "*"),
        delete_policy("p"),
        assign(ROOT, USER, None),
        create_identity(ROOT, USER, Privilege::User, false),
        delete_identity(ROOT, USER),
    ];
    for operation in operations {
        let name = operation.name();
        assert_eq!(
            world.error(operation),
            ApiError::ENCLAVE_NOT_FOUND,
            "{name}"
        );
    }
}

#[test]
fn the_root_is_recorded() {
    let mut world = World::default();
    assert_eq!(world.0.root(), None);
    world.must(Operation::SetRoot {
        identity: USER.into(),
    });
    assert_eq!(world.0.root(), Some(USER.into()));
    let nobody = Operation::SetRoot {
        identity: keystead_identity::KmsIdentity::NOBODY,
    };
    assert_eq!(world.refusal(nobody).0, 400);
}

#[test]
fn a_restore_replaces_everything_but_the_count() {
    let mut other = World::with_people();
    other.must(create_key("k"));
    let mut world = World::new();
    world.must(create_enclave("tenant-b"));
    world.must(Operation::Restore(Box::new(other.0.clone())));
    assert_eq!(world.0, other.0);
    assert_eq!(world.0.commit(), 3);
    assert!(world.0.is_registered(&USER.into()));
}

#[test]
fn an_operation_is_applied_once() {
    let id = OperationId([1; 16]);
    let batch = Batch {
        operations: vec![
            (id, create_enclave(TENANT)),
            (id, create_enclave(TENANT)),
            (OperationId([2; 16]), create_enclave(TENANT)),
        ],
    };
    let first = apply_batch(&World::default().0, &batch);
    let exists = Outcome::from(Err(ApiError::ENCLAVE_EXISTS));
    let expected = [Outcome::DONE, Outcome::DONE, exists];
    assert_eq!(first.outcomes, expected);
    assert_eq!(first.state.commit(), 1);

    let again = apply_batch(&first.state, &batch);
    assert_eq!(again.outcomes, expected);
    assert_eq!(again.state.commit(), 1);
    assert_eq!(again.state, first.state);
}

#[test]
fn outcomes_are_forgotten_after_ten_thousand() {
    let id = |number: u32| {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        OperationId(id)
    };
    let operations = (0..10_000).map(|number| (id(number), create_enclave(TENANT)));
    let full = Batch {
        operations: operations.collect(),
    };
    let mut state = apply_batch(&World::default().0, &full).state;
    let mut once = |number| {
        let batch = Batch {
            operations: vec![(id(number), create_enclave("tenant-b"))],
        };
        let applied = apply_batch(&state, &batch);
        state = applied.state;
        applied.outcomes == [Outcome::DONE]
    };
    assert!(once(0), "the oldest is known");
    assert!(once(10_000), "a new one takes the place of the oldest");
    assert!(!once(1), "the second oldest is known");
    assert!(
        !once(0),
        "the oldest is new and fails, because the enclave exists"
    );
}
