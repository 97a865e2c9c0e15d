//! D22, as far as service accounts go.

use keystead_identity::KmsIdentity;
use keystead_wire_kms::{ApiError, Privilege};

use crate::Rights;
use crate::testing::*;

#[test]
fn it_has_its_parents_rights_at_every_moment() {
    let mut world = World::with_people();
    world.must(service_account(USER, who(8)));
    world.must(create_policy("p", "*"));
    let rights = |world: &World| match world.tenant().rights_of(&who(8).into()) {
        Some(Rights::Admin) => "admin".to_owned(),
        Some(Rights::Policy { name, .. }) => name.to_owned(),
        Some(Rights::None) => "none".to_owned(),
        Some(Rights::Root) | None => panic!("registered"),
    };
    assert_eq!(rights(&world), "none");
    world.must(assign(ROOT, USER, Some("p")));
    assert_eq!(rights(&world), "p");
    world.must(create_identity(ROOT, USER, Privilege::Admin, false));
    assert_eq!(rights(&world), "admin");
}

#[test]
fn it_reports_its_parents_privilege_and_no_policy() {
    let mut world = World::with_people();
    world.must(create_identity(by(ADMIN), who(7), Privilege::User, true));
    world.must(create_identity(by(ADMIN), who(8), Privilege::Admin, true));
    world.must(create_policy("p", "*"));
    world.must(assign(ROOT, USER, Some("p")));
    world.must(service_account(USER, who(9)));
    let status = |who: KmsIdentityNumber| {
        let status = world.tenant().identity_status(&who.into());
        let status = status.expect("registered");
        assert!(status.is_service_account);
        assert_eq!(status.policy, "");
        (status.privilege, status.created_by)
    };
    let admin = KmsIdentity::from(ADMIN).to_string();
    assert_eq!(status(who(7)), (2, admin.clone()));
    assert_eq!(status(who(8)), (2, admin));
    assert_eq!(status(who(9)), (3, KmsIdentity::from(USER).to_string()));
    let parent = world.tenant().identity_status(&ADMIN.into());
    let accounts = parent.expect("registered").service_accounts;
    assert_eq!(accounts.len(), 2);
    assert!(accounts.is_sorted());
}

#[test]
fn it_has_no_more_than_its_parent() {
    let mut world = World::with_people();
    let more = create_identity(by(USER), who(8), Privilege::Admin, true);
    assert_eq!(world.error(more), ApiError::NOT_ALLOWED);
}

#[test]
fn root_has_none_and_neither_has_one_of_them() {
    let mut world = World::with_people();
    let of_root = create_identity(ROOT, who(8), Privilege::User, true);
    assert_eq!(world.refusal(of_root).0, 400);
    world.must(service_account(ADMIN, who(8)));
    assert_eq!(world.refusal(service_account(who(8), who(9))).0, 400);
    assert_eq!(world.refusal(service_account(ADMIN, ADMIN)).0, 400);
    world.must(create_identity(ROOT, who(9), Privilege::Admin, false));
    let with_children = service_account(who(9), ADMIN);
    assert_eq!(world.refusal(with_children).0, 400);
}

#[test]
fn it_acts_as_its_parent() {
    let mut world = World::with_people();
    world.must(service_account(USER, who(7)));
    world.must(service_account(USER, who(8)));
    world.must(service_account(ADMIN, who(9)));
    world.must(delete_identity(by(who(7)), who(8)));
    let foreign = delete_identity(by(who(7)), who(9));
    assert_eq!(world.error(foreign), ApiError::NOT_ALLOWED);
    let parent = delete_identity(by(who(7)), USER);
    assert_eq!(world.error(parent), ApiError::NOT_ALLOWED);
    world.must(create_identity(by(who(9)), who(10), Privilege::User, false));
}

#[test]
fn it_goes_with_its_parent() {
    let mut world = World::with_people();
    world.must(service_account(USER, who(7)));
    world.must(service_account(USER, who(8)));
    world.must(delete_identity(by(ADMIN), USER));
    for gone in [USER, who(7), who(8)] {
        assert!(world.tenant().identity(&gone.into()).is_none());
        assert!(!world.0.is_registered(&gone.into()));
    }
}

#[test]
fn it_moves_from_parent_to_parent_and_becomes_ordinary() {
    let mut world = World::with_people();
    let accounts = |world: &World, who: KmsIdentityNumber| {
        let entry = world.tenant().identity(&who.into());
        entry.expect("registered").service_accounts().count()
    };
    world.must(service_account(USER, who(8)));
    world.must(service_account(ADMIN, who(8)));
    assert_eq!((accounts(&world, USER), accounts(&world, ADMIN)), (0, 1));
    world.must(create_identity(by(ADMIN), who(8), Privilege::User, false));
    assert_eq!(accounts(&world, ADMIN), 0);
    world.must(delete_identity(ROOT, ADMIN));
    assert!(world.tenant().identity(&who(8).into()).is_some());
}
