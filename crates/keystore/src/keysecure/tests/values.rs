//! What is sent and what is stored (key stores, sections 1.3 and 9).

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::*;

const LEGACY: &str =
    r#"{"bytes":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=","algorithm":"AES256"}"#;

/// Method, path with query, and body of the requests so far.
fn sent(world: &World) -> Vec<(String, Value)> {
    let describe = |request: &Request<_>| {
        let body: &Bytes = request.body();
        // Over HTTP/2 the URI has scheme and host.
        let uri = request.uri().to_string().replace(&world.server.url(), "");
        let line = format!("{} {uri}", request.method());
        (line, serde_json::from_slice(body).unwrap_or_default())
    };
    world.server.journal().take().iter().map(describe).collect()
}

#[tokio::test]
async fn requests_are_those_of_the_specification() {
    let mut world = World::new().await;
    world.config.domain = Some("storage".into());
    world
        .appliance
        .set(|settings| settings.domain = Some("storage".into()));
    let store = world.store().await;
    store.create("my-key", b"CiYK").await.unwrap();
    store.get("my-key").await.unwrap();
    store.list("", "", 10).await.unwrap();
    store.delete("my-key").await.unwrap();
    store.status().await.unwrap();
    let expected = [
        (
            "POST /api/v1/auth/tokens",
            json!({
                "grant_type": "refresh_token",
                "refresh_token": "Wz0vCcvLbFcYQGy3qVr8eQ4e2dEuI5qV",
                "domain": "storage",
            }),
        ),
        (
            "POST /api/v1/vault/secrets",
            json!({ "dataType": "seed", "material": "CiYK", "name": "my-key" }),
        ),
        (
            "POST /api/v1/vault/secrets/my-key/export?type=name",
            Value::Null,
        ),
        ("GET /api/v1/vault/secrets?limit=200&skip=0", Value::Null),
        ("DELETE /api/v1/vault/secrets/my-key?type=name", Value::Null),
        ("GET /", Value::Null),
    ];
    assert_eq!(
        sent(&world),
        expected.map(|(line, body)| (line.to_owned(), body))
    );
}

#[tokio::test]
async fn only_calls_carry_the_token() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    store.status().await.unwrap();
    let requests = world.server.journal().take();
    let headers: Vec<_> = requests
        .iter()
        .map(|request| request.headers().get("authorization"))
        .map(|header| header.and_then(|header| header.to_str().ok()))
        .collect();
    assert_eq!(
        headers,
        [
            None,
            Some("Bearer eyJhbGciOiJFUzI1NiJ9.session-1.c2ln"),
            None
        ]
    );
}

#[tokio::test]
async fn the_root_domain_is_not_named() {
    let world = World::new().await;
    world.store().await;
    let (_, body) = sent(&world).remove(0);
    assert_eq!(body.get("domain"), None);
}

#[tokio::test]
async fn secrets_hold_the_value_as_it_is() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"CiYKIPl1rQ==").await.unwrap();
    let secret = world.appliance.secret("key").unwrap();
    assert_eq!(secret, ("seed".to_owned(), "CiYKIPl1rQ==".to_owned()));
}

#[tokio::test]
async fn secrets_made_by_hand_are_read() {
    let world = World::new().await;
    let store = world.store().await;
    world.appliance.put_secret("legacy", LEGACY);
    assert_eq!(*store.get("legacy").await.unwrap(), LEGACY.as_bytes());
    let key = crate::read_key(&store, "legacy").await.unwrap();
    assert_eq!(key.cipher(), keystead_crypto::Cipher::Aes256);
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_not_sent() {
    let world = World::new().await;
    let store = world.store().await;
    world.server.journal().take();
    for name in ["", "..", "a/b", "a?type=id", "a%2fb", "a b"] {
        let text = failed(store.get(name).await);
        assert!(text.contains("cannot be the name of a key"), "{text}");
        failed(store.create(name, b"value").await);
        failed(store.delete(name).await);
    }
    assert_eq!(world.server.journal().count(""), 0);
}

#[tokio::test]
async fn lists_are_read_to_their_end() {
    let world = World::new().await;
    let store = world.store().await;
    let names: BTreeSet<String> = (0..450).map(|number| format!("key-{number}")).collect();
    for name in &names {
        world.appliance.put_secret(name, "x");
    }
    for foreign in ["a/b", "my secret", "-"] {
        world.appliance.put_secret(foreign, "x");
    }
    world.server.journal().take();
    let listed = store.list("key-", "", usize::MAX).await.unwrap();
    assert!(listed.iter().eq(&names));
    assert_eq!(world.server.journal().count("secrets"), 3);

    // The appliance may have a limit of its own.
    world.appliance.set(|settings| settings.page = 50);
    assert_eq!(store.list("", "", usize::MAX).await.unwrap().len(), 450);
    assert_eq!(world.server.journal().count("secrets"), 3 + 10);
}

#[tokio::test]
async fn a_list_of_other_places_is_refused() {
    let world = World::new().await;
    let store = world.store().await;
    for number in 0..3 {
        world.appliance.put_secret(&format!("key-{number}"), "x");
    }
    world.appliance.set(|settings| {
        settings.page = 2;
        settings.echoes_skip = false;
    });
    let text = failed(store.list("", "", 10).await);
    assert!(
        text.contains("does not continue where it was asked to"),
        "{text}"
    );
}

#[tokio::test]
async fn a_deletion_meanwhile_hides_no_key() {
    let world = World::new().await;
    let store = world.store().await;
    let fill = || {
        world.appliance.clear();
        for number in 0..9 {
            world.appliance.put_secret(&format!("key-{number}"), "x");
        }
    };
    fill();
    world.appliance.set(|settings| {
        settings.page = 2;
        settings.deletes_while_listing = 1;
    });
    let listed = store.list("", "", usize::MAX).await.unwrap();
    let rest: Vec<String> = (1..9).map(|number| format!("key-{number}")).collect();
    assert_eq!(listed, rest);

    fill();
    world
        .appliance
        .set(|settings| settings.deletes_while_listing = 100);
    let text = failed(store.list("", "", usize::MAX).await);
    assert!(text.contains("are deleted while they are listed"), "{text}");
}
