use proptest::prelude::*;

use crate::{Match, Router};

fn router() -> Router<u8> {
    Router::new([
        ("/version", 1),
        ("/v1/status", 2),
        ("/v1/key/create/", 3),
        ("/v1/key/list/", 4),
        ("/v1/identity/describe/", 5),
        ("/v1/identity/self/describe", 6),
    ])
}

fn found(path: &str) -> Option<(u8, String, String)> {
    match router().find(path) {
        Match::Found(found) => {
            let resource = found.resource().to_owned();
            Some((*found.route, found.path.into_owned(), resource))
        }
        _ => None,
    }
}

#[track_caller]
fn leads(path: &str, route: u8, decoded: &str, resource: &str) {
    let expected = (route, decoded.to_owned(), resource.to_owned());
    assert_eq!(found(path), Some(expected), "{path}");
}

#[test]
fn exact_routes() {
    leads("/version", 1, "/version", "");
    leads("/%76ersion", 1, "/version", "");
    leads("/v1/%73tatus", 2, "/v1/status", "");
    leads(
        "/v1/identity/self/describe",
        6,
        "/v1/identity/self/describe",
        "",
    );
}

#[test]
fn resource_routes() {
    leads(
        "/v1/key/create/my-key",
        3,
        "/v1/key/create/my-key",
        "my-key",
    );
    leads(
        "/v1/key/%63reate/my%2Dkey",
        3,
        "/v1/key/create/my-key",
        "my-key",
    );
    leads("/v1/key/list/%2A", 4, "/v1/key/list/*", "*");
    leads("/v1/key/list/*", 4, "/v1/key/list/*", "*");
    leads(
        "/v1/identity/describe/self",
        5,
        "/v1/identity/describe/self",
        "self",
    );
}

#[test]
fn an_encoded_slash_belongs_to_the_resource() {
    leads("/v1/key/create/a%2Fb", 3, "/v1/key/create/a/b", "a/b");
    leads("/v1/key/create/a%2fb", 3, "/v1/key/create/a/b", "a/b");
    leads("/v1/key/create/%2F", 3, "/v1/key/create//", "/");
    leads("/v1/key/create/%2E%2E", 3, "/v1/key/create/..", "..");
    leads("/v1/key/create/%00", 3, "/v1/key/create/\0", "\0");
}

#[test]
fn resources_may_be_empty() {
    leads("/v1/key/list/", 4, "/v1/key/list/", "");
    leads("/v1/key/list", 4, "/v1/key/list", "");
    leads("/v1/key/%6Cist", 4, "/v1/key/list", "");
    leads("/v1/key/%6Cist/", 4, "/v1/key/list/", "");
}

#[test]
fn unknown_paths() {
    for path in [
        "",
        "*",
        "/",
        "/v1",
        "/v1/key",
        "/v1/key/",
        "/version/",
        "/v1/status/",
        "/v1%2Fstatus",
        "/v1/key%2Fcreate/a",
        "/v1/key/create%2Fa",
        "/v1/key/create/a/b",
        "/v1/key/create/a/",
        "/Version",
        "/v1/identity/self",
    ] {
        assert_eq!(router().find(path), Match::NotFound, "{path}");
    }
}

#[test]
fn broken_encoding() {
    for path in [
        "/%",
        "/v1/key/create/%2",
        "/v1/key/create/%zz",
        "/%%76ersion",
        "/versio%6",
    ] {
        assert_eq!(router().find(path), Match::Malformed, "{path}");
    }
    leads(
        "/v1/key/create/%FF",
        3,
        "/v1/key/create/\u{fffd}",
        "\u{fffd}",
    );
    assert_eq!(router().find("/%FF/%FF"), Match::NotFound);
}

#[test]
fn untidy_paths_move() {
    for (path, to) in [
        ("//", "/"),
        ("//version", "/version"),
        ("/./version", "/version"),
        ("/a/../version", "/version"),
        ("/../../version", "/version"),
        ("/v1//key/list", "/v1/key/list"),
        ("/v1/key/list//", "/v1/key/list/"),
        ("/v1/key/create/..", "/v1/key"),
        ("/v1/key/create/.", "/v1/key/create"),
        ("/v1/key/create/../", "/v1/key/"),
        ("/..", "/"),
        ("/v1/key/create/%zz/..", "/v1/key/create"),
    ] {
        assert_eq!(router().find(path), Match::Moved(to.to_owned()), "{path}");
    }
}

proptest! {
    #[test]
    fn any_path_leads_somewhere(path in "/?[a-z1/.%0-9A-F \u{e9}]{0,40}") {
        let router = router();
        match router.find(&path) {
            Match::Moved(to) => {
                prop_assert!(!matches!(router.find(&to), Match::Moved(_)), "{to}");
            }
            Match::Found(found) => {
                let end = found.path.ends_with(found.resource());
                prop_assert!(end && !found.path.contains("%%"));
            }
            Match::NotFound | Match::Malformed => {}
        }
    }

    #[test]
    fn encoding_changes_nothing(name in "\\PC{1,20}") {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/v1/key/create/{encoded}");
        let resource = match router().find(&path) {
            Match::Found(found) => found.resource().to_owned(),
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(resource, name);
    }
}
