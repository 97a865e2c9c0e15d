//! Listings in pages, written and read.

use proptest::prelude::*;

use crate::{CONTENT_TYPE_NDJSON, Error, ListPattern, NamePage, Subject};

#[test]
fn writes_listings() {
    let mut page = NamePage {
        names: vec!["alpha".to_owned(), "beta".to_owned()],
        continue_at: Some("@gamma".to_owned()),
    };
    assert_eq!(
        page.encode(Subject::Key),
        "{\"names\":[\"alpha\",\"beta\"],\"continue_at\":\"@gamma\"}\n"
    );
    page.continue_at = None;
    assert_eq!(
        page.encode(Subject::Key),
        "{\"names\":[\"alpha\",\"beta\"]}\n"
    );
    assert_eq!(
        page.encode(Subject::Policy),
        "{\"names\":[\"alpha\",\"beta\"],\"continue_at\":\"\"}\n"
    );
    assert_eq!(
        NamePage::default().encode(Subject::Identity),
        "{\"identities\":[],\"continue_at\":\"\"}\n"
    );
    assert_eq!(NamePage::default().encode(Subject::Key), "{\"names\":[]}\n");
}

#[test]
fn reads_listings_of_all_releases() {
    let decode = |content_type, body: &str| NamePage::decode(Some(content_type), body.as_bytes());
    let names = |names: &[&str]| NamePage {
        names: names.iter().copied().map(str::to_owned).collect(),
        continue_at: None,
    };
    for body in [
        r#"{"names":null}"#,
        "{}",
        r#"{"identities":[],"continue_at":""}"#,
    ] {
        assert_eq!(decode("application/json", body), Ok(names(&[])), "{body}");
    }
    assert_eq!(
        decode(
            "application/json",
            r#"{"identities":["a"],"continue_at":"b"}"#
        ),
        Ok(NamePage {
            continue_at: Some("b".to_owned()),
            ..names(&["a"])
        })
    );
    assert_eq!(
        decode(
            CONTENT_TYPE_NDJSON,
            "{\"name\":\"a\",\"created_by\":\"x\"}\n{\"name\":\"b\"}\n"
        ),
        Ok(names(&["a", "b"]))
    );
    assert_eq!(
        decode(CONTENT_TYPE_NDJSON, "{\"identity\":\"a\",\"admin\":true}\n"),
        Ok(names(&["a"]))
    );
    assert_eq!(decode(CONTENT_TYPE_NDJSON, ""), Ok(names(&[])));
    assert_eq!(
        decode(
            CONTENT_TYPE_NDJSON,
            "{\"name\":\"a\"}\n{\"error\":\"broken\"}\n"
        ),
        Err(Error::Listing {
            message: "broken".to_owned()
        })
    );
    assert!(decode(CONTENT_TYPE_NDJSON, "{\"name\":\"a\"}\n{\"na").is_err());
    assert!(decode("application/json", "\"a\"").is_err());
}

/// Walks all pages as a client does.
fn walk(prefix: &str, names: &[String]) -> (Vec<String>, usize) {
    let mut all = Vec::new();
    let mut pattern = prefix.to_owned();
    for pages in 1.. {
        let page = NamePage::of_keys(
            &ListPattern::parse(&pattern).unwrap(),
            names.iter().cloned(),
        );
        assert!(page.encode(Subject::Key).len() < 1_000_000);
        all.extend(page.names);
        let Some(next) = page.continue_at else {
            return (all, pages);
        };
        pattern = next;
    }
    unreachable!()
}

#[test]
fn long_listings_are_walked_in_pages() {
    let names: Vec<String> = (0..25_000).map(|n| format!("k-{n:078}")).collect();
    let page = NamePage::of_keys(&ListPattern::default(), names.iter().cloned());
    assert!(page.names.len() >= 12_000);
    assert_eq!(
        page.continue_at,
        Some(format!("@{}", names[page.names.len()]))
    );
    assert_eq!(walk("", &names), (names.clone(), 3));
    assert_eq!(walk("k-*", &names), (names.clone(), 3));
    let tenth: Vec<_> = (1000..2000).map(|n| names[n].clone()).collect();
    let prefix = &names[1000][..77];
    assert_eq!(walk(prefix, &names), (tenth, 1));
}

#[test]
fn names_that_break_the_rules_do_not_break_paging() {
    let mut names: Vec<String> = (0..40_000).map(|n| format!("{n:040}.key")).collect();
    names.extend((0..40_000).step_by(1000).map(|n| format!("{n:040}")));
    names.sort_unstable();
    let (all, pages) = walk("", &names);
    assert_eq!(all, names);
    assert!(pages > 1);
    let unreachable: Vec<String> = (0..40_000).map(|n| format!("{n:040}.key")).collect();
    assert_eq!(walk("", &unreachable), (vec![], 1));
}

proptest! {
    #[test]
    fn valid_patterns_match_by_prefix(prefix in "[a-z]{0,3}", name in "[a-z]{1,5}") {
        let pattern = ListPattern::parse(&format!("{prefix}*")).unwrap();
        prop_assert_eq!(pattern.matches(&name), name.starts_with(&prefix));
        let pattern = ListPattern::parse(&format!("{prefix}@{name}")).unwrap();
        prop_assert_eq!(pattern.matches(&name), name.starts_with(&prefix));
        prop_assert!(!pattern.matches(""));
    }
}
