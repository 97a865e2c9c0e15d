//! D22 to D24 and D28, as far as policies go.

use keystead_policy::rules::Action;
use keystead_wire_kms::{ApiError, Command, Privilege};

use crate::testing::*;
use crate::{Enclave, Rights};

fn policy_of(enclave: &Enclave, who: KmsIdentityNumber) -> String {
    let status = enclave.identity_status(&who.into()).expect("registered");
    status.policy
}

#[test]
fn a_policy_is_overwritten_and_stays_assigned() {
    let mut world = World::with_people();
    world.must(create_policy("p", "a*"));
    world.must(assign(ROOT, USER, Some("p")));
    world.must(create_policy("p", "b*"));
    let Some(Rights::Policy { name, policy }) = world.tenant().rights_of(&USER.into()) else {
        panic!("the user has a policy");
    };
    let action = Action {
        code: Command::GenerateKey.code(),
        name: Command::GenerateKey.name(),
    };
    assert_eq!(name, "p");
    assert!(policy.rules().decide(action, "b1").is_allowed());
    assert!(!policy.rules().decide(action, "a1").is_allowed());
}

#[test]
fn d23_a_policy_is_for_users_alone() {
    let mut world = World::with_people();
    world.must(create_policy("p", "*"));
    world.must(service_account(USER, who(8)));
    for not_user in [ADMIN, who(8)] {
        let refusal = world.refusal(assign(ROOT, not_user, Some("p")));
        assert_eq!(refusal.0, 400, "{not_user:?}");
        assert_eq!(world.refusal(assign(ROOT, not_user, None)).0, 400);
    }
}

#[test]
fn d23_policy_and_identity_must_exist() {
    let mut world = World::with_people();
    let missing = assign(ROOT, USER, Some("p"));
    assert_eq!(world.error(missing), ApiError::POLICY_NOT_FOUND);
    world.must(create_policy("p", "*"));
    let missing = assign(ROOT, who(9), Some("p"));
    assert_eq!(world.error(missing), ApiError::IDENTITY_NOT_FOUND);
}

#[test]
fn d23_another_assignment_replaces_and_an_empty_one_unassigns() {
    let mut world = World::with_people();
    world.must(create_policy("p", "*"));
    world.must(create_policy("q", "*"));
    world.must(assign(ROOT, USER, Some("p")));
    assert_eq!(policy_of(world.tenant(), USER), "p");
    world.must(assign(by(ADMIN), USER, Some("q")));
    assert_eq!(policy_of(world.tenant(), USER), "q");
    world.must(assign(ROOT, USER, None));
    assert_eq!(policy_of(world.tenant(), USER), "");
    assert!(matches!(
        world.tenant().rights_of(&USER.into()),
        Some(Rights::None)
    ));
}

#[test]
fn d22_nobody_gives_itself_a_policy() {
    let mut world = World::with_people();
    world.must(create_policy("p", "*"));
    world.must(service_account(USER, who(8)));
    world.must(create_identity(ROOT, who(9), Privilege::User, false));
    let own = [
        assign(by(USER), USER, Some("p")),
        assign(by(USER), USER, None),
        assign(by(who(8)), USER, Some("p")),
        assign(by(USER), USER, Some("missing")),
    ];
    for operation in own {
        assert_eq!(world.error(operation), ApiError::NOT_ALLOWED);
    }
    world.must(assign(by(USER), who(9), Some("p")));
    let stranger = assign(by(who(20)), who(9), Some("p"));
    assert_eq!(world.error(stranger), ApiError::NOT_ALLOWED);
}

#[test]
fn d24_a_deleted_policy_leaves_no_assignment() {
    let mut world = World::with_people();
    world.must(create_policy("p", "*"));
    world.must(create_policy("q", "*"));
    world.must(create_identity(ROOT, who(9), Privilege::User, false));
    world.must(assign(ROOT, USER, Some("p")));
    world.must(assign(ROOT, who(9), Some("q")));
    world.must(delete_policy("p"));
    assert_eq!(policy_of(world.tenant(), USER), "");
    assert_eq!(policy_of(world.tenant(), who(9)), "q");
    world.must(create_policy("p", "*"));
    assert_eq!(policy_of(world.tenant(), USER), "");
    assert_eq!(world.error(delete_policy("x")), ApiError::POLICY_NOT_FOUND);
}

#[test]
fn d28_a_listing_shows_what_the_policy_covers() {
    let mut world = World::new();
    for name in [
        "legacy-1",
        "photos-1",
        "photos-2",
        "photos-private",
        "videos-1",
    ] {
        world.must(create_key(name));
    }
    let allow = [(Command::ListKeys.code(), ["photos-*"])];
    let deny = [(Command::ListKeys.code(), ["photos-private"])];
    let rules = keystead_policy::rules::Rules::new(allow, deny).expect("patterns");
    let action = Action {
        code: Command::ListKeys.code(),
        name: Command::ListKeys.name(),
    };
    let visible = |name: &str| rules.shows(action, name);
    let names = |request| {
        let page = world.tenant().list_keys(&request, visible);
        let names: Vec<_> = page.keys.iter().map(|key| key.name.clone()).collect();
        (names, page.continue_at)
    };
    let all = ["photos-1", "photos-2"].map(str::to_owned).to_vec();
    assert_eq!(names(list("", "", 0)), (all, String::new()));
    assert_eq!(names(list("videos", "", 0)), (vec![], String::new()));
    let first = (vec!["photos-1".to_owned()], "photos-2".to_owned());
    assert_eq!(names(list("", "", 1)), first);
    let last = (vec!["photos-2".to_owned()], String::new());
    assert_eq!(names(list("", "photos-2", 1)), last, "no private name");
}
