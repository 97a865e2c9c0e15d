//! What is sent and what is stored (key stores, sections 1.3 and 10).

use serde_json::{Value, json};

use super::*;

const LEGACY: &str =
    r#"{"bytes":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=","algorithm":"AES256"}"#;

#[tokio::test]
async fn requests_are_those_of_the_specification() {
    let mut world = World::new().await;
    let group = FortanixSettings::default().groups.remove(0);
    world.config.group_id = Some(group.clone());
    let store = world.store().await;
    store.create("my-key", b"CiYK").await.unwrap();
    store.get("my-key").await.unwrap();
    store.list("", "", 10).await.unwrap();
    store.delete("my-key").await.unwrap();
    store.status().await.unwrap();
    let basic = format!("Basic {}", world.key);
    let basic = Some(basic.as_str());
    let expected = [
        ("GET /sys/v1/health", None, Value::Null),
        ("POST /sys/v1/session/auth", basic, Value::Null),
        (
            "POST /sys/v1/session/terminate",
            Some("Bearer sdkms-session-1"),
            Value::Null,
        ),
        (
            "PUT /crypto/v1/keys",
            basic,
            json!({
                "obj_type": "OPAQUE",
                "name": "my-key",
                "group_id": group,
                "key_ops": ["EXPORT", "APPMANAGEABLE"],
                "value": "Q2lZSw==",
                "enabled": true,
            }),
        ),
        (
            "POST /crypto/v1/keys/export",
            basic,
            json!({ "name": "my-key" }),
        ),
        (
            "GET /crypto/v1/keys?sort=name:asc&limit=100",
            basic,
            Value::Null,
        ),
        (
            "GET /crypto/v1/keys?sort=name:asc&limit=100&start=my-key",
            basic,
            Value::Null,
        ),
        (
            "POST /crypto/v1/keys/export",
            basic,
            json!({ "name": "my-key" }),
        ),
        (
            "DELETE /crypto/v1/keys/0b1ec700-0000-4000-8000-000000000001",
            basic,
            Value::Null,
        ),
        ("GET /", None, Value::Null),
    ];
    let sent = world.server.journal().take();
    assert_eq!(sent.len(), expected.len());
    for (request, (line, authorization, body)) in sent.iter().zip(expected) {
        let header = |name| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        // Over HTTP/2 the URI has scheme and host.
        let uri = request.uri().to_string().replace(&world.server.url(), "");
        assert_eq!(format!("{} {uri}", request.method()), line);
        assert_eq!(header("authorization"), authorization, "{line}");
        let sent: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        assert_eq!(sent, body, "{line}");
    }
    assert_eq!(world.service.open_sessions(), 0);
}

#[tokio::test]
async fn objects_hold_the_value_in_base64() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"CiYKIPl1rQ==").await.unwrap();
    let (_, value) = world.service.object("key").unwrap();
    assert_eq!(STANDARD.decode(value).unwrap(), b"CiYKIPl1rQ==");
}

#[tokio::test]
async fn new_keys_are_in_the_configured_group() {
    let mut world = World::new().await;
    world
        .service
        .set(|settings| settings.groups = vec!["g-1".into(), "g-2".into()]);
    for (configured, group) in [(None, "g-1"), (Some("g-2"), "g-2")] {
        world.config.group_id = configured.map(str::to_owned);
        world.store().await.create(group, b"value").await.unwrap();
        assert_eq!(world.service.object(group).unwrap().0, group);
    }
    world.config.group_id = Some("g-3".into());
    let text = denied(world.store().await.create("key", b"value").await);
    assert!(
        text.contains("(the app lacks a right in the group of the keys)"),
        "{text}"
    );
}

#[tokio::test]
async fn objects_made_by_hand_are_read() {
    let world = World::new().await;
    let store = world.store().await;
    world.service.put_object("legacy", &STANDARD.encode(LEGACY));
    assert_eq!(*store.get("legacy").await.unwrap(), LEGACY.as_bytes());
    let key = crate::read_key(&store, "legacy").await.unwrap();
    assert_eq!(key.cipher(), keystead_crypto::Cipher::Aes256);

    world.service.put_object("foreign", "no base64");
    let text = failed(store.get("foreign").await);
    assert!(text.contains("the value is not in base64"), "{text}");
}

#[tokio::test]
async fn a_disabled_object_is_an_error_and_can_be_deleted() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    world.service.enable("key", false);
    assert_eq!(
        failed(store.get("key").await),
        "key store failed: the security object is disabled: enable it"
    );
    let other = store.create("key", b"other").await;
    assert!(matches!(other, Err(Error::KeyExists)));
    world.service.enable("key", true);
    assert_eq!(*store.get("key").await.unwrap(), b"value");
    world.service.enable("key", false);
    store.delete("key").await.unwrap();
    assert!(matches!(store.delete("key").await, Err(Error::KeyNotFound)));
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_not_sent() {
    let world = World::new().await;
    let store = world.store().await;
    world.server.journal().take();
    for name in ["", "..", "a/b", "a b"] {
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
    let names: BTreeSet<String> = (0..250).map(|number| format!("key-{number}")).collect();
    for name in &names {
        world.service.put_object(name, "eA==");
    }
    for foreign in ["a&b=c", "my key", "-", "zürich/1"] {
        world.service.put_object(foreign, "eA==");
    }
    world.server.journal().take();
    let listed = store.list("key-", "", usize::MAX).await.unwrap();
    assert!(listed.iter().eq(&names));
    assert_eq!(world.server.journal().count("keys"), 4);
    for page in [1, 7] {
        // So that every foreign name begins a page, too.
        world.service.set(|settings| settings.page = page);
        let listed = store.list("", "", usize::MAX).await.unwrap();
        assert!(listed.iter().eq(&names));
    }
    world.service.set(|settings| {
        settings.page = 100;
        settings.includes_start = true;
    });
    assert_eq!(store.list("", "", usize::MAX).await.unwrap().len(), 250);
    world.service.set(|settings| settings.ignores_start = true);
    let text = failed(store.list("", "", usize::MAX).await);
    assert!(text.contains("the list does not end"), "{text}");
}
