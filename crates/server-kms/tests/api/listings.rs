//! Listings: pages, and what a policy shows of them (decisions D16 and D28).

use keystead_wire_kms::message::{
    ListEnclavesResponse, ListIdentitiesResponse, ListKeysResponse, ListPoliciesResponse,
    ListRequest,
};
use keystead_wire_kms::{ApiError, Command};

use crate::support::{Client, World, id, vectors};

fn page(prefix: &str, continue_at: &str, limit: u32) -> ListRequest {
    ListRequest {
        prefix: prefix.into(),
        continue_at: continue_at.into(),
        limit,
    }
}

async fn keys(client: &mut Client, request: ListRequest) -> (Vec<String>, String) {
    let answer = client.ask("e", Command::ListKeys, &request).await;
    let page: ListKeysResponse = answer.message(Command::ListKeys);
    let names = page.keys.into_iter().map(|key| key.name).collect();
    (names, page.continue_at)
}

#[tokio::test]
async fn pages_begin_where_the_last_one_said() {
    let world = World::new().await;
    world.enclave("e").await;
    let names = ["a", "a1", "a2", "b", "c"];
    for name in names {
        world.key("e", name).await;
    }
    let mut root = world.root().await;
    assert_eq!(
        keys(&mut root, page("", "", 0)).await,
        (names.map(str::to_owned).to_vec(), String::new())
    );
    for limit in 1..=6 {
        let (mut all, mut continue_at) = (Vec::new(), String::new());
        loop {
            let (names, next) = keys(&mut root, page("", &continue_at, limit)).await;
            assert!(!names.is_empty() && names.len() <= usize::try_from(limit).unwrap());
            all.extend(names);
            if next.is_empty() {
                break;
            }
            continue_at = next;
        }
        assert_eq!(all, names);
    }
    let of = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        keys(&mut root, page("a", "", 2)).await,
        (of(&["a", "a1"]), "a2".into())
    );
    assert_eq!(
        keys(&mut root, page("a", "a2", 2)).await,
        (of(&["a2"]), String::new())
    );
    // The name to go on at was deleted.
    assert_eq!(
        keys(&mut root, page("", "a3", 1)).await,
        (of(&["b"]), "c".into())
    );
    assert_eq!(
        keys(&mut root, page("a", "b", 0)).await,
        (of(&[]), String::new())
    );
    assert_eq!(
        keys(&mut root, page("x", "", 0)).await,
        (of(&[]), String::new())
    );
}

#[tokio::test]
async fn enclaves_policies_and_identities_are_listed_alike() {
    let world = World::new().await;
    for enclave in ["e", "f", "g"] {
        world.enclave(enclave).await;
    }
    for number in [1, 2] {
        world.user("e", number, &[], &[]).await;
    }
    let mut root = world.root().await;
    let answer = root.ask("", Command::ListEnclaves, &page("", "f", 1)).await;
    let enclaves: ListEnclavesResponse = answer.message(Command::ListEnclaves);
    assert_eq!(
        (&*enclaves.enclaves[0].name, &*enclaves.continue_at),
        ("f", "g")
    );
    let answer = root
        .ask("e", Command::ListPolicies, &page("policy-", "", 0))
        .await;
    let policies: ListPoliciesResponse = answer.message(Command::ListPolicies);
    assert_eq!(policies.policies.len(), 2);
    let answer = root
        .ask("e", Command::ListIdentities, &page("h1:", "", 0))
        .await;
    let identities: ListIdentitiesResponse = answer.message(Command::ListIdentities);
    let mut expected = [id(1).to_string(), id(2).to_string()];
    expected.sort();
    let listed: Vec<_> = identities
        .identities
        .iter()
        .map(|it| &it.identity)
        .collect();
    assert_eq!(listed, expected.iter().collect::<Vec<_>>());
    assert!(identities.identities.iter().all(|it| it.privilege == 3));
}

#[tokio::test]
async fn a_policy_shows_the_golden_items() {
    let vectors = vectors("decisions.policy");
    let world = World::new().await;
    world.enclave("e").await;
    super::policies::golden_user(&world, &vectors["policy"], 1).await;
    let mut user = world.member(1).await;
    for case in vectors["list"].as_array().unwrap() {
        for name in case["existing"].as_array().unwrap() {
            let name = name.as_str().unwrap();
            if world
                .store
                .state()
                .enclave("e")
                .unwrap()
                .key(name)
                .is_none()
            {
                world.key("e", name).await;
            }
        }
        let command: Command = case["command"].as_str().unwrap().parse().unwrap();
        let request = page(case["prefix"].as_str().unwrap(), "", 0);
        if case["status"] == 403 {
            let answer = user.ask("e", command, &request).await;
            answer.is(&ApiError::NOT_ALLOWED);
            continue;
        }
        let (names, _) = keys(&mut user, request).await;
        let expected = case["names"].as_array().unwrap().iter();
        let expected: Vec<_> = expected.map(|name| name.as_str().unwrap()).collect();
        assert_eq!(names, expected);
    }
}

#[tokio::test]
async fn pages_of_a_policy_are_full_and_name_nothing_else() {
    let world = World::new().await;
    world.enclave("e").await;
    for name in ["a-1", "b-1", "a-2", "b-2", "c-1", "b-3", "b-4"] {
        world.key("e", name).await;
    }
    let allow: &[(&str, &[&str])] = &[("KEY:LIST", &["a-*", "b-*"])];
    world.user("e", 1, allow, &[("KEY:LIST", &["b-3"])]).await;
    world.user("e", 2, allow, &[("KEY:LIST", &["*"])]).await;
    let mut user = world.member(1).await;
    let of = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    let first = keys(&mut user, page("", "", 2)).await;
    assert_eq!(first, (of(&["a-1", "a-2"]), "b-1".into()));
    let second = keys(&mut user, page("", "b-1", 2)).await;
    assert_eq!(second, (of(&["b-1", "b-2"]), "b-4".into()));
    let last = keys(&mut user, page("", "b-4", 2)).await;
    assert_eq!(last, (of(&["b-4"]), String::new()));

    let mut denied = world.member(2).await;
    let answer = denied.ask("e", Command::ListKeys, &page("", "", 0)).await;
    answer.is(&ApiError::NOT_ALLOWED);
}
