use std::collections::BTreeMap;

use crate::{Name, check_tags};

#[test]
fn portable_names_fit_the_resources_of_the_vendor() {
    assert!(Name::is_portable("my-key"));
    assert!(Name::is_portable(&"x".repeat(63)));
    assert!(!Name::is_portable(&"x".repeat(64)));
    assert!(!Name::is_portable("team/key"));
}

#[test]
fn tags_have_limits() {
    let tags = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
    let legal = |key: &str, value: &str| check_tags(&tags(key, value)).is_ok();
    assert!(legal("a.b_c/d-9", ""));
    assert!(legal(&"k".repeat(64), &"v".repeat(256)));
    assert!(!legal(&"k".repeat(65), ""));
    assert!(!legal("k", &"v".repeat(257)));
    assert!(!legal("", "v"));
    assert!(!legal("k v", ""));
    assert!(!legal("k", "ä"));
    let many = |n: u8| -> BTreeMap<_, _> { (0..n).map(|n| (n.to_string(), "v".into())).collect() };
    assert!(check_tags(&many(32)).is_ok());
    assert!(check_tags(&many(33)).is_err());
}
