//! Section 5.1, D16 and D17.

use std::collections::BTreeSet;

use keystead_crypto::Cipher;
use keystead_wire_kms::message::ListRequest;
use keystead_wire_kms::{ApiError, Command, FrameWriter};
use proptest::collection::btree_set;
use proptest::prelude::*;
use prost::Message;

use crate::model::Map;
use crate::model::page::{page, page_size};
use crate::testing::*;
use crate::{Operation, Versions};

proptest! {
    #[test]
    fn no_item_is_lost_or_doubled(
        names in btree_set("[ab]{1,4}", 0..40),
        prefix in "[ab]{0,2}",
        limit in 0..7_u32,
        hidden in btree_set("[ab]{1,4}", 0..10),
    ) {
        let mut map: Map<std::sync::Arc<str>, ()> = Map::default();
        for name in &names {
            map.insert(name.as_str().into(), ());
        }
        let visible = |name: &str| !hidden.contains(name);
        let mut request = list(&prefix, "", limit);
        let mut seen = Vec::new();
        loop {
            let page = page(&map, &request, visible);
            prop_assert!(page.items.len() <= page_size(limit));
            let next = page.continue_at.to_owned();
            prop_assert!(!page.items.is_empty() || next.is_empty());
            prop_assert!(next.is_empty() || visible(&next));
            seen.extend(page.items.iter().map(|(name, ())| (*name).to_owned()));
            if next.is_empty() {
                break;
            }
            request.continue_at = next;
        }
        let expected: Vec<_> = names
            .iter()
            .filter(|name| name.starts_with(&prefix) && visible(name))
            .cloned()
            .collect();
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn a_page_begins_at_the_name_or_behind_it(
        names in btree_set("[ab]{1,3}", 0..20),
        prefix in "[ab]{0,1}",
        at in "[ab]{1,3}",
    ) {
        let mut map: Map<std::sync::Arc<str>, ()> = Map::default();
        for name in &names {
            map.insert(name.as_str().into(), ());
        }
        let page = page(&map, &list(&prefix, &at, 0), |_| true);
        let got: Vec<_> = page.items.iter().map(|(name, ())| *name).collect();
        let fits = |name: &&String| name.starts_with(&prefix) && **name >= at;
        let expected: Vec<_> = match at.starts_with(&prefix) {
            true => names.iter().filter(fits).map(String::as_str).collect(),
            false => Vec::new(),
        };
        prop_assert_eq!(got, expected);
        prop_assert_eq!(page.continue_at, "");
    }
}

#[test]
fn d16_a_page_has_at_most_ten_thousand_items() {
    for (limit, expected) in [(0, 10_000), (1, 1), (10_000, 10_000), (10_001, 10_000)] {
        assert_eq!(page_size(limit), expected);
    }
    assert_eq!(page_size(u32::MAX), 10_000);
}

#[test]
fn enclaves_are_listed_by_name() {
    let mut world = World::default();
    for name in ["b", "a", "ab", "B"] {
        world.must(create_enclave(name));
    }
    let names = |request: &ListRequest| {
        let page = world.0.list_enclaves(request);
        let names: Vec<_> = page.enclaves.into_iter().map(|it| it.name).collect();
        (names.join(" "), page.continue_at)
    };
    assert_eq!(names(&list("", "", 0)), ("B a ab b".into(), String::new()));
    assert_eq!(names(&list("", "a", 2)), ("a ab".into(), "b".into()));
    assert_eq!(names(&list("a", "", 1)), ("a".into(), "ab".into()));
    assert_eq!(names(&list("a", "b", 1)), (String::new(), String::new()));
    assert_eq!(names(&list("", "aa", 1)), ("ab".into(), "b".into()));
}

#[test]
fn identities_are_listed_by_their_text() {
    let mut world = World::new();
    let privilege = keystead_wire_kms::Privilege::User;
    for number in 0..100 {
        world.must(create_identity(ROOT, who(number), privilege, false));
    }
    let page = world
        .tenant()
        .list_identities(&list("h1:", "", 0), |_| true);
    let texts: Vec<_> = page
        .identities
        .iter()
        .map(|it| it.identity.clone())
        .collect();
    let sorted: BTreeSet<_> = texts.iter().cloned().collect();
    assert!(texts.iter().eq(&sorted));
    assert_eq!(texts.len(), 100);
    let mut rest = Vec::new();
    let mut request = list("", "", 7);
    while rest.is_empty() || !request.continue_at.is_empty() {
        let page = world.tenant().list_identities(&request, |_| true);
        rest.extend(page.identities.into_iter().map(|it| it.identity));
        request.continue_at = page.continue_at;
    }
    assert_eq!(rest, texts);
    let one = list(&texts[3], "", 0);
    let page = world.tenant().list_identities(&one, |_| true);
    assert_eq!(page.identities.len(), 1);
}

#[test]
fn policies_are_listed_by_name() {
    let mut world = World::new();
    for name in ["q", "p"] {
        world.must(create_policy(name, "*"));
    }
    let page = world.tenant().list_policies(&list("", "", 1), |_| true);
    assert_eq!(page.policies[0].name, "p");
    assert_eq!(page.policies[0].created_by, created(5).by.to_string());
    assert_eq!(page.continue_at, "q");
}

#[test]
fn d17_versions_are_listed_from_a_number_on() {
    let mut world = World::new();
    world.must(create_key("k"));
    for _ in 0..4 {
        world.must(add_version("k"));
    }
    world.must(delete_key("k", Versions::One(3)));
    let versions = |at: &str, limit| {
        let page = world.key("k").list_versions("k", &list("k", at, limit));
        page.map(|page| {
            let numbers: Vec<_> = page.keys.iter().map(|it| it.version).collect();
            (numbers, page.continue_at)
        })
    };
    assert_eq!(versions("", 0), Ok((vec![1, 2, 4, 5], String::new())));
    assert_eq!(versions("2", 2), Ok((vec![2, 4], "5".into())));
    assert_eq!(versions("3", 1), Ok((vec![4], "5".into())));
    assert_eq!(versions("6", 1), Ok((vec![], String::new())));
    for no_number in ["x", "-1", "+1", " 1", "4294967296"] {
        let error: ApiError = versions(no_number, 0).expect_err(no_number);
        assert_eq!(error.status, 400, "{no_number}");
    }
}

#[test]
fn d17_the_answer_is_that_of_the_vectors() {
    let vectors = super::super::tests::vectors();
    let section = &vectors["decisions"]["list_versions"];
    let creator = "h1:oFCDfYUHBYLM9zlLCYiEfMMSy4glm4lImfbyOc8XkaU";
    let mut world = World::new();
    for version in 1..=5_u8 {
        let cipher = match version {
            4 => Cipher::ChaCha20,
            _ => Cipher::Aes256,
        };
        let mut operation = key("my-key", Some(cipher), version > 1);
        if let Operation::CreateKey { created, .. } = &mut operation {
            let second = 1_700_000_000 - 1 + i64::from(version);
            created.at = jiff::Timestamp::from_second(second).expect("in range");
            created.by = creator.parse().expect("an identity");
        }
        world.must(operation);
    }
    world.must(delete_key("my-key", Versions::One(3)));

    let hex = |value: &serde_json::Value| {
        let text = value.as_str().expect("a text");
        data_encoding::HEXLOWER
            .decode(text.as_bytes())
            .expect("hex")
    };
    let request = hex(&section["request"]["body"]);
    let request = ListRequest::decode(&request[6..]).expect("a message");
    let page = world.key("my-key").list_versions("my-key", &request);
    let mut answer = FrameWriter::new();
    answer.write(Command::ListKeyVersions, &page.expect("a page"));
    assert_eq!(*answer.into_body(), hex(&section["response"]["body"]));
}
