//! D22, D23 and D25, as far as ordinary identities go.

use std::collections::BTreeMap;

use keystead_identity::KmsIdentity;
use keystead_wire_kms::{ApiError, Privilege};

use crate::testing::*;
use crate::{Caller, NewIdentity, Operation, Rights};

fn tagged(tags: &[(&str, &str)]) -> Operation {
    let tags = tags
        .iter()
        .map(|(key, value)| ((*key).into(), (*value).into()));
    Operation::CreateIdentity {
        enclave: TENANT.to_owned(),
        identity: NewIdentity {
            identity: who(9).into(),
            privilege: Privilege::User,
            is_service_account: false,
            tags: tags.collect(),
        },
        at: time(1),
        by: ROOT,
    }
}

#[test]
fn rights_follow_from_the_registration() {
    let world = World::with_people();
    let enclave = world.tenant();
    assert!(matches!(
        enclave.rights_of(&ADMIN.into()),
        Some(Rights::Admin)
    ));
    assert!(matches!(
        enclave.rights_of(&USER.into()),
        Some(Rights::None)
    ));
    assert!(enclave.rights_of(&who(9).into()).is_none());
    assert!(world.0.is_registered(&ADMIN.into()));
    assert!(!world.0.is_registered(&who(9).into()));
}

#[test]
fn d22_nobody_makes_a_sysadmin() {
    let mut world = World::with_people();
    let refused = |by| create_identity(by, who(9), Privilege::SysAdmin, false);
    assert_eq!(world.refusal(refused(ROOT)).0, 400);
    assert_eq!(world.error(refused(by(ADMIN))), ApiError::NOT_ALLOWED);
    assert_eq!(world.error(refused(by(USER))), ApiError::NOT_ALLOWED);
}

#[test]
fn d22_a_user_makes_and_removes_service_accounts_alone() {
    let mut world = World::with_people();
    world.must(service_account(ADMIN, who(7)));
    world.must(service_account(USER, who(8)));
    let refused = [
        create_identity(by(USER), who(9), Privilege::User, false),
        create_identity(by(USER), who(9), Privilege::Admin, false),
        service_account(USER, ADMIN),
        service_account(USER, who(7)),
        service_account(USER, USER),
        delete_identity(by(USER), ADMIN),
        delete_identity(by(USER), USER),
        delete_identity(by(USER), who(7)),
        delete_identity(by(USER), who(30)),
        delete_identity(by(who(30)), who(8)),
    ];
    for operation in refused {
        assert_eq!(world.error(operation), ApiError::NOT_ALLOWED);
    }
    world.must(service_account(USER, who(8)));
    world.must(delete_identity(by(USER), who(8)));
}

#[test]
fn an_admin_makes_and_removes_whomever() {
    let mut world = World::with_people();
    world.must(create_identity(by(ADMIN), who(9), Privilege::Admin, false));
    world.must(create_identity(by(who(9)), ADMIN, Privilege::User, false));
    world.must(delete_identity(by(who(9)), ADMIN));
    let gone = delete_identity(by(who(9)), ADMIN);
    assert_eq!(world.error(gone), ApiError::IDENTITY_NOT_FOUND);
}

#[test]
fn d22_the_root_is_registered_nowhere() {
    let mut world = World::with_people();
    world.must(Operation::SetRoot {
        identity: who(9).into(),
    });
    let recorded = create_identity(by(ADMIN), who(9), Privilege::User, false);
    assert_eq!(world.refusal(recorded).0, 400);
    let configured = Caller {
        identity: who(10).into(),
        is_root: true,
    };
    let own = create_identity(configured, who(10), Privilege::Admin, false);
    assert_eq!(world.refusal(own).0, 400);
}

#[test]
fn nobody_is_registered_nowhere() {
    let mut world = World::new();
    let mut nobody = tagged(&[]);
    if let Operation::CreateIdentity { identity, .. } = &mut nobody {
        identity.identity = KmsIdentity::NOBODY;
    }
    assert_eq!(world.refusal(nobody).0, 400);
}

#[test]
fn d23_an_identity_may_be_in_several_enclaves() {
    let mut world = World::with_people();
    world.must(create_enclave("tenant-b"));
    let mut second = create_identity(ROOT, USER, Privilege::Admin, false);
    if let Operation::CreateIdentity { enclave, .. } = &mut second {
        "tenant-b".clone_into(enclave);
    }
    world.must(second);
    let rights = world
        .0
        .enclave("tenant-b")
        .and_then(|it| it.rights_of(&USER.into()));
    assert!(matches!(rights, Some(Rights::Admin)));
    world.must(delete_identity(ROOT, USER));
    assert!(world.0.is_registered(&USER.into()), "in the other one");
}

#[test]
fn d23_to_create_again_overwrites_all_but_service_accounts() {
    let mut world = World::with_people();
    world.must(create_policy("p", "*"));
    world.must(assign(ROOT, USER, Some("p")));
    world.must(service_account(USER, who(8)));
    world.must(create_identity(by(ADMIN), USER, Privilege::User, false));
    let status = world.tenant().identity_status(&USER.into());
    let status = status.expect("registered");
    assert_eq!(status.policy, "");
    assert_eq!(status.created_by, KmsIdentity::from(ADMIN).to_string());
    assert_eq!(
        status.service_accounts,
        [KmsIdentity::from(who(8)).to_string()]
    );
    world.must(create_identity(ROOT, USER, Privilege::Admin, false));
    assert!(matches!(
        world.tenant().rights_of(&who(8).into()),
        Some(Rights::Admin)
    ));
}

#[test]
fn d25_tags_are_limited() {
    let mut world = World::new();
    let long = "k".repeat(64);
    let value = "v".repeat(256);
    world.must(tagged(&[(&long, &value), ("team/app_1.x-y", "")]));
    let status = world.tenant().identity_status(&who(9).into());
    let tags = status.expect("registered").tags;
    assert_eq!(tags.get(&long), Some(&value));

    let longer = "k".repeat(65);
    let value = "v".repeat(257);
    for tag in [
        ("", "v"),
        (&*longer, "v"),
        ("k", &*value),
        ("k!", "v"),
        ("k", "ä"),
    ] {
        let refusal = world.refusal(tagged(&[tag]));
        assert_eq!(refusal, (400, "invalid tags".to_owned()), "{tag:?}");
    }
    let names: Vec<_> = (0..33).map(|number| format!("t{number}")).collect();
    let tags: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert_eq!(world.refusal(tagged(&tags)).0, 400);
    world.must(tagged(&tags[..32]));
    let kept: BTreeMap<_, _> = tags[..32]
        .iter()
        .map(|(k, v)| ((*k).into(), (*v).into()))
        .collect();
    let entry = world.tenant().identity(&who(9).into());
    assert_eq!(entry.expect("registered").tags(), &kept);
}
