use keystead_keystore::KeyStore;
use serde_json::json;

use crate::support::{Client, World, member, text, vectors};

async fn names(client: &mut Client, pattern: &str) -> Vec<String> {
    let page = client.get(&format!("/v1/key/list/{pattern}")).await.json();
    assert!(page.get("continue_at").is_none());
    serde_json::from_value(page["names"].clone()).unwrap()
}

#[tokio::test]
async fn a_pattern_is_a_prefix() {
    let world = World::new().await;
    let mut client = world.admin().await;
    assert_eq!(client.get("/v1/key/list/").await.text(), "{\"names\":[]}\n");
    for name in ["my-b", "my-a", "other", "MY"] {
        world.store.create(name, b"never read").await.unwrap();
    }
    for all in ["", "*", "%2A"] {
        assert_eq!(
            names(&mut client, all).await,
            ["MY", "my-a", "my-b", "other"]
        );
    }
    assert_eq!(
        client.get("/v1/key/list").await.text(),
        "{\"names\":[\"MY\",\"my-a\",\"my-b\",\"other\"]}\n"
    );
    for mine in ["my", "my*", "my%2A", "my-*"] {
        assert_eq!(names(&mut client, mine).await, ["my-a", "my-b"]);
    }
    assert_eq!(names(&mut client, "my-b").await, ["my-b"]);
    assert_eq!(names(&mut client, "x").await, [""; 0]);

    let long = "k".repeat(81);
    for (encoded, pattern) in [
        ("my-", "my-"),
        ("-*", "-*"),
        ("_", "_"),
        ("**", "**"),
        ("a*b", "a*b"),
        ("a%2Fb", "a/b"),
        ("a%3F", "a?"),
        ("a%00", "a\0"),
        (&long, &long),
    ] {
        for group in ["key", "policy", "identity"] {
            let answer = client.get(&format!("/v1/{group}/list/{encoded}")).await;
            let message = format!("listing pattern '{pattern}' is empty, too long or is invalid");
            answer.is_error(400, &message);
        }
    }
    for group in ["policy", "identity"] {
        let answer = client.get(&format!("/v1/{group}/list/a@b")).await;
        answer.is_error(
            400,
            "listing pattern 'a@b' is empty, too long or is invalid",
        );
    }
}

#[tokio::test]
async fn long_listings_continue() {
    let world = World::new().await;
    let mut client = world.admin().await;
    let mut all: Vec<_> = (0..15_000).map(|index| format!("{index:k>80}")).collect();
    all.sort();
    for name in &all {
        world.store.create(name, b"never read").await.unwrap();
    }
    world.store.create("zebra", b"never read").await.unwrap();

    let (mut pattern, mut seen, mut pages) = ("k".to_owned(), Vec::new(), 0);
    loop {
        let answer = client.get(&format!("/v1/key/list/{pattern}")).await;
        assert!(answer.body.len() < 1_000_000);
        let mut page = answer.json();
        let names: Vec<String> = serde_json::from_value(page["names"].take()).unwrap();
        seen.extend(names);
        pages += 1;
        match page.get("continue_at") {
            Some(next) => pattern = next.as_str().unwrap().to_owned(),
            None => break,
        }
        assert!(pattern.starts_with("k@k"));
    }
    assert_eq!(seen, all);
    assert_eq!(pages, 2);
}

#[tokio::test]
async fn continuations() {
    for vector in vectors("list_continuation") {
        let world = World::new().await;
        let mut client = world.admin().await;
        for name in vector["names"].as_array().into_iter().flatten() {
            world
                .store
                .create(name.as_str().unwrap(), b"never read")
                .await
                .unwrap();
        }
        let pattern = text(&vector, "pattern");
        let answer = client.get(&format!("/v1/key/list/{pattern}")).await;
        if vector["result"].is_array() {
            assert_eq!(
                answer.json(),
                json!({ "names": vector["result"] }),
                "{vector}"
            );
        } else {
            let message = format!("listing pattern '{pattern}' is empty, too long or is invalid");
            answer.is_error(400, &message);
        }
    }
}

#[tokio::test]
async fn a_full_listing_is_judged_under_its_three_spellings() {
    let vectors = vectors("list_route_policy");
    let mut policies = String::from("policy:\n");
    for (number, vector) in (1..).zip(&vectors) {
        let (allow, deny) = (&vector["allow"], &vector["deny"]);
        let identity = member(number).identity().clone();
        policies += &format!(
            "  p{number}: {{ allow: {allow}, deny: {deny}, identities: [ {identity} ] }}\n"
        );
    }
    let world = World::with(&policies).await;
    for (number, vector) in (1..).zip(&vectors) {
        let answer = world.member(number).await.get(text(vector, "path")).await;
        if vector["allowed"] == true {
            // Some of the paths are no valid patterns, which is found out later.
            assert_ne!(answer.status, 403, "{vector}");
        } else {
            answer.is_error(403, "not authorized: insufficient permissions");
        }
    }
}
