//! What is sent, and what becomes of success.

use bytes::Bytes;
use http::{Method, Request};
use keystead_doubles::Checkout;
use serde_json::{Value, json};

use crate::world::World;

fn body(request: &Request<Bytes>) -> Value {
    serde_json::from_slice(request.body()).unwrap()
}

fn paths(requests: &[Request<Bytes>]) -> Vec<&str> {
    let path = |request| Request::uri(request).path();
    requests.iter().map(path).collect()
}

#[tokio::test]
async fn requests_are_those_of_the_original() {
    let world = World::new().await;
    let client = world.connect().await;
    client.create("my-key", b"dmFsdWU=").await.unwrap();
    assert_eq!(*client.checkout("my-key").await.unwrap(), b"dmFsdWU=");
    client.list("my").await.unwrap();
    client.delete("my-key").await.unwrap();

    let requests = world.nodes[0].journal().take();
    assert_eq!(
        paths(&requests),
        [
            "/vault/1.0/Login/e30497c1-bff7-4e81-beb7-fb35c4b7410c/",
            "/vault/1.0/GetBox/",
            "/vault/1.0/CreateSecret/",
            "/vault/1.0/CheckoutSecret/",
            "/vault/1.0/ListSecretIds/",
            "/vault/1.0/DeleteSecret/",
        ]
    );
    let settings = world.appliance.settings();
    let bodies = [
        json!({ "username": settings.username, "password": settings.password }),
        json!({ "box_id": "tenant-1" }),
        // Base64 of base64.
        json!({ "box_id": "tenant-1", "name": "my-key", "secret_data": "ZG1Gc2RXVT0=" }),
        json!({ "box_id": "tenant-1", "secret_id": "my-key" }),
        json!({ "box_id": "tenant-1", "max_items": 256, "prefix": "my" }),
        json!({ "box_id": "tenant-1", "secret_id": "my-key" }),
    ];
    let token = requests[1].headers().get("X-Vault-Auth").unwrap();
    for (request, expected) in requests.iter().zip(bodies) {
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(body(request), expected);
        let login = request.uri().path().contains("Login");
        let sent = request.headers().get("X-Vault-Auth");
        assert_eq!(sent, (!login).then_some(token));
    }
}

#[tokio::test]
async fn a_box_has_a_name_and_an_id() {
    let mut world = World::new().await;
    world.connect().await.create("key", b"value").await.unwrap();
    world.config.box_id = world.appliance.settings().box_id;
    let client = world.connect().await;
    assert_eq!(*client.checkout("key").await.unwrap(), b"value");
}

#[tokio::test]
async fn a_path_in_the_endpoint_is_kept() {
    let mut world = World::new().await;
    world.config.endpoints = vec![world.nodes[0].url() + "/folder/"];
    world.try_connect().await.err().unwrap();
    let requests = world.nodes[0].journal().take();
    assert_eq!(
        paths(&requests),
        ["/folder/vault/1.0/Login/e30497c1-bff7-4e81-beb7-fb35c4b7410c/"]
    );
}

#[tokio::test]
async fn the_id_of_a_vault_stays_one_part_of_the_path() {
    let mut world = World::new().await;
    world.config.vault_id = "a/../b?c d".into();
    world.try_connect().await.err().unwrap();
    let requests = world.nodes[0].journal().take();
    assert_eq!(paths(&requests), ["/vault/1.0/Login/a%2F..%2Fb%3Fc%20d/"]);
}

#[tokio::test]
async fn lists_are_read_to_their_end() {
    let world = World::new().await;
    let client = world.connect().await;
    let names: Vec<String> = (0..600).map(|number| format!("key-{number:03}")).collect();
    for name in &names {
        world.appliance.put_secret(name, "eA==");
    }
    world.appliance.put_secret("other", "eA==");
    world.appliance.put_secret("folder/key", "eA==");
    world.appliance.expire_secret("key-300");
    world.nodes[0].journal().take();

    let listed: Vec<String> = client.list("key-").await.unwrap().into_iter().collect();
    let expected: Vec<_> = names
        .iter()
        .filter(|name| *name != "key-300")
        .cloned()
        .collect();
    assert_eq!(listed, expected);
    assert_eq!(client.list("").await.unwrap().len(), 601);
    assert_eq!(client.list("x").await.unwrap().len(), 0);

    let bodies: Vec<Value> = world.nodes[0].journal().take().iter().map(body).collect();
    assert_eq!(bodies.len(), 3 + 3 + 1);
    assert_eq!(
        bodies[0],
        json!({ "box_id": "tenant-1", "max_items": 256, "prefix": "key-" })
    );
    assert!(bodies[1]["next_token"].is_string());
    assert_eq!(bodies[3], json!({ "box_id": "tenant-1", "max_items": 256 }));

    world
        .appliance
        .set(|settings| settings.repeats_pages = true);
    let error = client.list("").await.unwrap_err();
    assert_eq!(error.to_string(), "keycontrol: the list does not end");
}

#[tokio::test]
async fn a_lease_does_no_harm_but_is_warned_about() {
    let world = World::new().await;
    let client = world.connect().await;
    client.create("key", b"value").await.unwrap();
    for seconds in [60, -60] {
        let life = jiff::SignedDuration::from_secs(seconds);
        world
            .appliance
            .set(|settings| settings.checkout = Checkout::Leased(life));
        assert_eq!(*client.checkout("key").await.unwrap(), b"value");
    }
    let errors = world.errors().await;
    assert!(errors.contains("level=WARN"), "{errors}");
    assert!(
        errors.contains("unset the checkout duration of the box"),
        "{errors}"
    );
}

#[tokio::test]
async fn a_value_may_be_written_by_hand() {
    let world = World::new().await;
    let client = world.connect().await;
    world.appliance.put_secret("broken", "dmFs\r\ndWU=\n");
    assert_eq!(*client.checkout("broken").await.unwrap(), b"value");
    for text in ["plain text", "dmFsdWU", "dmFsdWU=x"] {
        world.appliance.put_secret("foreign", text);
        let error = client.checkout("foreign").await.unwrap_err();
        assert_eq!(error.to_string(), "keycontrol: the secret is not in base64");
    }
}
