//! The double of KeyControl as MinIO KES and the vendor's clients speak to it.
#![cfg(test)]

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystead_doubles::{Authority, KeyControl, KeyControlSettings, Server, Tls};
use serde_json::{Value, json};

struct World {
    appliance: KeyControl,
    node: Server,
    http: reqwest::Client,
    token: String,
}

impl World {
    async fn new(settings: KeyControlSettings) -> Self {
        let appliance = KeyControl::new(settings);
        let authority = Authority::new().unwrap();
        let mut world = Self {
            node: appliance.node(1, &authority, Tls::Off).await.unwrap(),
            appliance,
            http: http(),
            token: String::new(),
        };
        let (status, body) = world.log_in("c0rrect-h0rse \"battery\"").await;
        assert_eq!(status, 200, "{body}");
        world.token = body["access_token"].as_str().unwrap().to_owned();
        world
    }

    async fn log_in(&self, password: &str) -> (u16, Value) {
        let settings = self.appliance.settings();
        let body = json!({ "username": settings.username, "password": password });
        self.post(&format!("Login/{}", settings.vault_id), Some(body))
            .await
    }

    /// Status and JSON; no JSON is `null`.
    async fn post(&self, action: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}/vault/1.0/{action}/", self.node.url());
        let request = self.http.post(url).header("X-VAULT-AUTH", &self.token);
        let response = match body {
            // Without a content type, as the original sends it.
            Some(body) => request.body(body.to_string()),
            None => request,
        }
        .send()
        .await
        .unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}

/// A client of an appliance without TLS, which wants TLS settings nevertheless.
fn http() -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls);
    client.no_proxy().build().unwrap()
}

fn error(message: &str) -> Value {
    json!({ "error": message })
}

#[tokio::test]
async fn credentials_and_vault_have_to_be_right() {
    let world = World::new(KeyControlSettings::default()).await;
    let (status, body) = world.log_in("wrong").await;
    assert_eq!((status, body), (401, error("Invalid username or password")));
    let (status, body) = world.post("Login/other", Some(json!({}))).await;
    assert_eq!((status, body), (404, error("Vault not found")));
}

#[tokio::test]
async fn a_secret_is_created_once_and_found_by_name_and_id() {
    let world = World::new(KeyControlSettings::default()).await;
    let settings = world.appliance.settings();
    let create = json!({ "box_id": "tenant-1", "name": "k", "secret_data": "any text" });
    let (status, body) = world.post("CreateSecret", Some(create.clone())).await;
    assert_eq!(status, 200);
    let refused = world.post("CreateSecret", Some(create)).await;
    assert_eq!(refused, (409, error("Secret already exists")));
    for (box_id, secret_id) in [
        (&*settings.box_name, "k"),
        (&settings.box_id, body["secret_id"].as_str().unwrap()),
    ] {
        let checkout = json!({ "box_id": box_id, "secret_id": secret_id });
        let (status, body) = world.post("CheckoutSecret", Some(checkout)).await;
        assert_eq!((status, &body["secret_data"]), (200, &json!("any text")));
        assert_eq!(body["lease"], Value::Null);
    }
    let gone = json!({ "box_id": "tenant-1", "secret_id": "k" });
    assert_eq!(world.post("DeleteSecret", Some(gone.clone())).await.0, 200);
    for action in ["DeleteSecret", "CheckoutSecret"] {
        let refused = world.post(action, Some(gone.clone())).await;
        assert_eq!(refused, (404, error("Secret not found")));
    }
    let other = Some(json!({ "box_id": "other" }));
    assert_eq!(
        world.post("GetBox", other).await,
        (404, error("Box not found"))
    );
}

#[tokio::test]
async fn what_is_not_allowed_and_what_is_not_known_look_the_same() {
    let world = World::new(KeyControlSettings::default()).await;
    world.appliance.set(|settings| {
        settings.denied.insert("GetBox");
    });
    let the_box = Some(json!({ "box_id": "tenant-1" }));
    assert_eq!(world.post("GetBox", the_box).await, (404, Value::Null));
    assert_eq!(
        world.post("NoSuchAction", Some(json!({}))).await,
        (404, Value::Null)
    );
    let url = world.node.url();
    let slash = world
        .http
        .post(format!("{url}/vault/1.0/GetBox"))
        .send()
        .await
        .unwrap();
    assert_eq!(slash.headers()["content-type"], "text/html");
    let get = world
        .http
        .get(format!("{url}/vault/1.0/GetBox/"))
        .send()
        .await
        .unwrap();
    assert_eq!(get.status(), 405);
}

#[tokio::test]
async fn tokens_are_renewed_with_and_without_a_body_and_end() {
    for revokes_renewed in [false, true] {
        let mut world = World::new(KeyControlSettings {
            token_life: Duration::from_millis(400),
            revokes_renewed,
            ..KeyControlSettings::default()
        })
        .await;
        let unknown = (401, error("Authentication failure"));
        let the_box = || Some(json!({ "box_id": "tenant-1" }));
        let (_, renewed) = world.post("Renew", None).await;
        let former = world.post("GetBox", the_box()).await;
        assert_eq!(former == unknown, revokes_renewed);
        world.token = renewed["access_token"].as_str().unwrap().to_owned();
        assert_eq!(world.post("GetBox", the_box()).await.0, 200);
        let (status, renewed) = world.post("Renew", Some(json!({}))).await;
        assert_eq!(status, 200);
        world.token = renewed["access_token"].as_str().unwrap().to_owned();
        let end: jiff::Timestamp = renewed["expires_at"].as_str().unwrap().parse().unwrap();
        while jiff::Timestamp::now() <= end {
            tokio::task::yield_now().await;
        }
        assert_eq!(world.post("GetBox", the_box()).await, unknown);
    }
}

#[tokio::test]
async fn lists_have_the_tokens_of_the_original() {
    let world = World::new(KeyControlSettings::default()).await;
    for name in ["a", "b-1", "b-2", "b-3", "c"] {
        world.appliance.put_secret(name, "x");
    }
    let list = async |more: Value| {
        let mut body = json!({ "box_id": "tenant-1", "max_items": 2 });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let (status, body) = world.post("ListSecretIds", Some(body)).await;
        let names: Vec<String> = body["secrets"].as_array().map_or(vec![], |secrets| {
            let name = |secret: &Value| secret["name"].as_str().unwrap().to_owned();
            secrets.iter().map(name).collect()
        });
        (status, names, body["next_token"].clone())
    };
    let (_, names, next) = list(json!({})).await;
    assert_eq!(names, ["a", "b-1"]);
    let decoded = STANDARD.decode(next.as_str().unwrap()).unwrap();
    let decoded: Value = serde_json::from_slice(&decoded).unwrap();
    assert_eq!(decoded, json!({ "box_id": "tenant-1", "next_ctx": "b-2" }));
    let (_, names, next) = list(json!({ "next_token": next, "prefix": "b" })).await;
    assert_eq!(
        (names, next),
        (vec!["b-2".to_owned(), "b-3".to_owned()], json!(""))
    );
    // The original makes a token of a prefix.
    let forged = STANDARD.encode(r#"{"box_id":"tenant-1","next_ctx":"b"}"#);
    assert_eq!(
        list(json!({ "next_token": forged })).await.1,
        ["b-1", "b-2"]
    );
    for refused in ["", "x", "e30="] {
        assert_eq!(list(json!({ "next_token": refused })).await.0, 400);
    }
}
