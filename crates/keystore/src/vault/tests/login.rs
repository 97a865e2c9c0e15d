use std::fs;
use std::time::Duration;

use keystead_config::SecretSource;
use keystead_config::kes::{EngineVersion, VaultAuth, VaultConfig, VaultLogin};
use keystead_doubles::VaultSettings;
use tokio::time::Instant;

use super::{World, open, told};
use crate::{Error, KeyStore};

fn login(config: &mut VaultConfig) -> &mut VaultLogin {
    let (VaultAuth::AppRole { login, .. } | VaultAuth::Kubernetes { login, .. }) = &mut config.auth;
    login
}

#[tokio::test]
async fn every_request_has_the_headers_it_needs() {
    let world = World::new().await;
    let mut config = world.config(EngineVersion::V2);
    config.namespace = Some("minio".to_owned());
    let store = open(&config).await.unwrap();
    store.create("key", b"value").await.unwrap();
    store.status().await.unwrap();
    let requests = world.server.journal().take();
    assert!(requests.len() > 4);
    for request in requests {
        let header = |name| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        assert_eq!(header("x-vault-request"), Some("true"));
        let (namespace, token) = match request.uri().path() {
            "/v1/sys/health" | "/v1/auth/approle/login" => (None, None),
            _ => (Some("minio"), Some("hvs.t0ken-1")),
        };
        assert_eq!(header("x-vault-namespace"), namespace, "{}", request.uri());
        assert_eq!(header("x-vault-token"), token, "{}", request.uri());
        if !request.body().is_empty() {
            assert_eq!(header("content-type"), Some("application/json"));
        }
    }
}

#[tokio::test]
async fn the_login_may_be_in_another_namespace() {
    let world = World::new().await;
    world
        .vault
        .set(|settings| settings.login_namespace = Some("own".to_owned()));
    let mut config = world.config(EngineVersion::V2);
    config.namespace = Some("minio".to_owned());
    assert!(matches!(open(&config).await, Err(Error::Denied(_))));
    login(&mut config).namespace = Some("own".to_owned());
    open(&config).await.unwrap();
}

#[tokio::test]
async fn a_wrong_secret_is_an_error_at_the_start() {
    let world = World::new().await;
    world
        .vault
        .set(|settings| settings.secret_id = "another".to_owned());
    let error = open(&world.config(EngineVersion::V2)).await.err().unwrap();
    let text = told(&error);
    assert!(text.contains("400: invalid role or secret ID"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

#[tokio::test]
async fn a_service_account_token_is_read_at_every_login() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let mut config = world.config(EngineVersion::V2);
    config.auth = VaultAuth::Kubernetes {
        login: VaultLogin {
            engine: "kubernetes".to_owned(),
            ..login(&mut config).clone()
        },
        role: "kes".to_owned(),
        jwt: SecretSource::File(file.clone()),
    };
    let error = open(&config).await.err().unwrap();
    assert!(told(&error).contains("open "), "{}", told(&error));
    fs::write(&file, VaultSettings::default().jwt + " \n\n").unwrap();
    let store = open(&config).await.unwrap();

    world
        .vault
        .set(|settings| settings.jwt = "rotated".to_owned());
    fs::write(&file, "rotated\n").unwrap();
    after_login(&store, &world).await;
}

#[tokio::test]
async fn a_secret_in_a_file_is_read_at_every_login() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, VaultSettings::default().secret_id).unwrap();
    let mut config = world.config(EngineVersion::V2);
    let VaultAuth::AppRole { secret, .. } = &mut config.auth else {
        unreachable!("it is an AppRole");
    };
    *secret = SecretSource::File(file.clone());
    let store = open(&config).await.unwrap();

    world
        .vault
        .set(|settings| settings.secret_id = "rotated".to_owned());
    fs::write(&file, "rotated\n").unwrap();
    after_login(&store, &world).await;
}

/// Forces a login and expects that it succeeds.
async fn after_login(store: &impl KeyStore, world: &World) {
    world.vault.revoke_tokens();
    store.create("key", b"value").await.unwrap();
    assert_eq!(world.vault.logins(), 2);
}

#[tokio::test]
async fn one_login_serves_all_who_were_refused() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    world.vault.revoke_tokens();
    let (one, two, three) = tokio::join!(store.get("key"), store.get("key"), store.list("", "", 1));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert_eq!(world.vault.logins(), 2);
}

#[tokio::test]
async fn what_the_policy_forbids_causes_no_login() {
    let world = World::new().await;
    let store = world.store().await;
    world
        .vault
        .set(|settings| settings.denied = vec!["metadata".to_owned()]);
    let error = store.list("", "", 1).await.unwrap_err();
    assert!(matches!(error, Error::Denied(_)));
    assert!(told(&error).contains("403: 1 error occurred: * permission denied"));
    assert_eq!(world.vault.logins(), 1);
}

#[tokio::test]
async fn logins_that_fail_do_not_follow_every_request() {
    let world = World::new().await;
    let store = world.store().await;
    world
        .vault
        .set(|settings| settings.secret_id = "another".to_owned());
    world.vault.revoke_tokens();
    let asked = Instant::now();
    world.server.journal().take();
    for _ in 0..20 {
        assert!(store.get("key").await.is_err());
    }
    assert!(asked.elapsed() < Duration::from_secs(2));
    assert!(world.server.journal().count("/login") <= 2);
}

#[tokio::test]
async fn a_short_life_ends_unnoticed() {
    let world = World::new().await;
    world
        .vault
        .set(|settings| settings.ttl = Duration::from_secs(1));
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(5) {
        store.get("key").await.unwrap();
    }
    assert!(
        (6..=9).contains(&world.vault.logins()),
        "{}",
        world.vault.logins()
    );
    let requests = world.server.journal().count("lookup-self");
    assert_eq!(requests, 0, "no request met an expired token");
}
