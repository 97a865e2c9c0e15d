//! What every back end does the same way.
//!
//! A back end is tested by one line: `contract::check(async || store).await`,
//! where each call of the closure gives a key store without keys. One whose server
//! has no atomic create is tested with `contract::check_all_but_races` instead.
//! [`stays_flat`] then takes a store through 10,000 status calls.

#![expect(clippy::panic, reason = "a failed expectation ends the test")]

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::{Error, KeyStore};

mod flat;

pub use flat::stays_flat;

/// Concurrent creates of one name.
const RIVALS: usize = 50;

/// Which names a store can tell apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// All of them.
    Any,
    /// Those without `_`, if they differ in more than upper and lower case.
    Narrow,
}

/// Checks a back end.
///
/// # Panics
///
/// At the first expectation that it does not meet.
pub async fn check<S: KeyStore>(empty_store: impl AsyncFn() -> S) {
    check_all_but_races(&empty_store).await;
    lets_one_of_many_creates_win(empty_store().await).await;
}

/// Checks a back end whose server has names without `_` alone, and takes upper and lower
/// case for the same. It has to refuse what it cannot tell apart.
///
/// # Panics
///
/// At the first expectation that it does not meet.
pub async fn check_with_narrow_names<S: KeyStore>(empty_store: impl AsyncFn() -> S) {
    check_but_similar_names(&empty_store, Names::Narrow).await;
    keeps_apart_or_refuses_similar_names(&empty_store().await).await;
    lets_one_of_many_creates_win(empty_store().await).await;
}

/// Checks a back end that cannot promise what becomes of concurrent creates of one
/// name.
///
/// # Panics
///
/// At the first expectation that it does not meet.
pub async fn check_all_but_races<S: KeyStore>(empty_store: impl AsyncFn() -> S) {
    check_but_similar_names(&empty_store, Names::Any).await;
    keeps_similar_names_apart(&empty_store().await).await;
}

async fn check_but_similar_names<S: KeyStore>(empty_store: impl AsyncFn() -> S, names: Names) {
    is_usable_when_new(&empty_store().await).await;
    keeps_values_byte_for_byte(&empty_store().await).await;
    keeps_or_refuses_binary_values(&empty_store().await).await;
    never_overwrites(&empty_store().await).await;
    forgets_deleted_keys(&empty_store().await).await;
    lists_by_prefix_start_and_limit(&empty_store().await, names).await;
    lists_in_pages(&empty_store().await).await;
    answers_after_close(&empty_store().await).await;
}

async fn is_usable_when_new(store: &impl KeyStore) {
    assert!(!store.description().is_empty());
    succeeds(store.status().await, "status");
    is_not_found(store.get("absent").await);
    assert_eq!(names(store, "", "", usize::MAX).await, [""; 0]);
}

async fn keeps_values_byte_for_byte(store: &impl KeyStore) {
    let text = "CiYKIPl1rQ==".repeat(20);
    let long = "k".repeat(80);
    let values: [(&str, &[u8]); 4] = [
        ("text", text.as_bytes()),
        ("line-break", b"value\r\n"),
        ("0", br#"{"bytes":"AA=="}"#),
        (&long, b"x"),
    ];
    for (name, value) in values {
        succeeds(store.create(name, value).await, name);
    }
    for (name, value) in values {
        let stored = succeeds(store.get(name).await, name);
        assert!(stored.as_slice() == value, "{name} has another value");
    }
}

/// Keys are text in every form; some stores can hold nothing else.
async fn keeps_or_refuses_binary_values(store: &impl KeyStore) {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    match store.create("every-byte", &every_byte).await {
        Ok(()) => assert!(*succeeds(store.get("every-byte").await, "get") == every_byte),
        Err(Error::Failed(_)) => is_not_found(store.get("every-byte").await),
        Err(error) => panic!("create of a binary value: {error:?}"),
    }
}

async fn never_overwrites(store: &impl KeyStore) {
    succeeds(store.create("key", b"first").await, "create");
    for value in [b"other".as_slice(), b"first"] {
        exists(&store.create("key", value).await);
    }
    assert!(*succeeds(store.get("key").await, "get") == b"first");
}

async fn lets_one_of_many_creates_win(store: impl KeyStore) {
    let store = Arc::new(store);
    let mut creates = JoinSet::new();
    for number in 0..RIVALS {
        let store = Arc::clone(&store);
        let value = number.to_string();
        creates.spawn(async move { (store.create("key", value.as_bytes()).await, value) });
    }
    let (winners, losers): (Vec<_>, Vec<_>) = creates
        .join_all()
        .await
        .into_iter()
        .partition(|(result, _)| result.is_ok());
    losers.into_iter().for_each(|(result, _)| exists(&result));
    let winners: Vec<String> = winners.into_iter().map(|(_, value)| value).collect();
    let stored = succeeds(store.get("key").await, "get").to_vec();
    assert_eq!(winners, [String::from_utf8_lossy(&stored)]);
}

async fn forgets_deleted_keys(store: &impl KeyStore) {
    succeeds(store.create("key", b"old").await, "create");
    succeeds(store.create("other", b"other").await, "create");
    succeeds(store.delete("key").await, "delete");
    is_not_found(store.get("key").await);
    assert_eq!(names(store, "", "", usize::MAX).await, ["other"]);
    match store.delete("key").await {
        Ok(()) | Err(Error::KeyNotFound) => {}
        Err(error) => panic!("delete of an absent key: {error:?}"),
    }
    succeeds(store.create("key", b"new").await, "create after delete");
    assert!(*succeeds(store.get("key").await, "get") == b"new");
}

const SIMILAR: [&str; 6] = ["KEY", "Key", "key", "key-1", "key1", "key_1"];

async fn keeps_similar_names_apart(store: &impl KeyStore) {
    let similar = SIMILAR;
    for name in similar {
        succeeds(store.create(name, name.as_bytes()).await, name);
    }
    for name in similar {
        assert!(*succeeds(store.get(name).await, name) == name.as_bytes());
    }
    assert_eq!(names(store, "", "", usize::MAX).await, similar);
}

async fn keeps_apart_or_refuses_similar_names(store: &impl KeyStore) {
    let mut kept = Vec::new();
    for name in SIMILAR {
        match store.create(name, name.as_bytes()).await {
            Ok(()) => kept.push(name),
            Err(Error::KeyExists) if kept.iter().any(|key| name.eq_ignore_ascii_case(key)) => {}
            Err(Error::Failed(_)) if name.contains('_') => {}
            Err(error) => panic!("{name}: {error:?}"),
        }
    }
    assert_eq!(kept, ["KEY", "key-1", "key1"]);
    for name in SIMILAR {
        match store.get(name).await {
            Ok(value) => assert!(kept.contains(&name) && *value == name.as_bytes(), "{name}"),
            Err(Error::KeyNotFound | Error::Failed(_)) => assert!(!kept.contains(&name)),
            Err(error) => panic!("{name}: {error:?}"),
        }
    }
    for name in SIMILAR.into_iter().filter(|name| !kept.contains(name)) {
        // Nothing that was not meant is deleted.
        store.delete(name).await.ok();
    }
    assert_eq!(names(store, "", "", usize::MAX).await, kept);
}

async fn lists_by_prefix_start_and_limit(store: &impl KeyStore, known: Names) {
    let differs = |name: &&str| known == Names::Any || *name != "B";
    for name in ["b2", "a", "c", "b10", "b", "B", "b-1"]
        .iter()
        .filter(|name| differs(name))
    {
        succeeds(store.create(name, b"value").await, name);
    }
    let cases: [(&str, &str, usize, &[&str]); 12] = [
        (
            "",
            "",
            usize::MAX,
            &["B", "a", "b", "b-1", "b10", "b2", "c"],
        ),
        ("", "", 2, &["B", "a"]),
        ("", "", 0, &[]),
        ("", "b", usize::MAX, &["b", "b-1", "b10", "b2", "c"]),
        ("", "b0", 2, &["b10", "b2"]),
        ("", "d", usize::MAX, &[]),
        ("b", "", usize::MAX, &["b", "b-1", "b10", "b2"]),
        ("b", "", 3, &["b", "b-1", "b10"]),
        ("b", "b10", usize::MAX, &["b10", "b2"]),
        ("b", "a", 1, &["b"]),
        ("b", "c", usize::MAX, &[]),
        ("bb", "", usize::MAX, &[]),
    ];
    for (prefix, start, limit, expected) in cases {
        let without = expected.iter().filter(|name| !differs(name)).count();
        // A page that the missing name would have been on has room for another one.
        let limit = limit.saturating_sub(without);
        let expected: Vec<&str> = expected.iter().copied().filter(differs).collect();
        assert_eq!(
            names(store, prefix, start, limit).await,
            expected,
            "prefix '{prefix}', start '{start}', limit {limit}"
        );
    }
}

async fn lists_in_pages(store: &impl KeyStore) {
    let expected: Vec<String> = (0..25).map(|number| format!("key-{number:02}")).collect();
    for name in expected.iter().rev() {
        succeeds(store.create(name, b"value").await, name);
    }
    let mut listed = Vec::new();
    let mut start = String::new();
    // The name a page is followed by is asked for with it.
    loop {
        let mut page = names(store, "key-", &start, 11).await;
        let next = if page.len() == 11 { page.pop() } else { None };
        listed.append(&mut page);
        match next {
            Some(next) => start = next,
            None => break,
        }
    }
    assert_eq!(listed, expected);
}

async fn answers_after_close(store: &impl KeyStore) {
    succeeds(store.create("key", b"value").await, "create");
    store.close().await;
    store.close().await;
    match store.get("key").await {
        Ok(value) => assert!(*value == b"value"),
        Err(Error::Unreachable(_) | Error::Denied(_) | Error::Failed(_)) => {}
        Err(error) => panic!("a closed store denies a key: {error:?}"),
    }
}

async fn names(store: &impl KeyStore, prefix: &str, start: &str, limit: usize) -> Vec<String> {
    succeeds(store.list(prefix, start, limit).await, "list")
}

fn succeeds<T>(result: Result<T, Error>, what: &str) -> T {
    result.unwrap_or_else(|error| panic!("{what}: {error:?}"))
}

fn exists(result: &Result<(), Error>) {
    assert!(matches!(result, Err(Error::KeyExists)), "{result:?}");
}

fn is_not_found<T>(result: Result<T, Error>) {
    // The value may be a secret.
    let result = result.map(drop);
    assert!(matches!(result, Err(Error::KeyNotFound)), "{result:?}");
}
