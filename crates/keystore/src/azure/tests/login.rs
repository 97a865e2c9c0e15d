use std::fs;

use azure_core::credentials::Secret as AzureSecret;
use http::StatusCode;
use keystead_doubles::Fault;

use super::*;

/// How many logins there were since the last time.
fn logins(world: &World) -> usize {
    let count = world.login.journal().take().len();
    count + world.metadata.journal().take().len()
}

async fn works(world: &World) {
    let store = world.store();
    store.create("key", b"value").await.unwrap();
    assert!(*store.get("key").await.unwrap() == b"value");
    assert_eq!(logins(world), 1);
    store.delete("key").await.unwrap();
}

#[tokio::test]
async fn a_client_secret_gets_a_token() {
    works(&World::new().await).await;
}

#[tokio::test]
async fn a_managed_identity_gets_a_token() {
    let mut world = World::new().await;
    let client_id = world.azure.settings().client_id;
    world.config.credentials = AzureCredentials::ManagedIdentity { client_id };
    works(&world).await;

    world.config.credentials = AzureCredentials::ManagedIdentity {
        client_id: "another".into(),
    };
    let error = world.store().get("key").await.map(drop).unwrap_err();
    assert!(matches!(error, Error::Denied(_)), "{error:?}");
    assert_eq!(cause(error), "azure: login failed: 400: Identity not found");
}

/// What the other libraries of Azure call the default credential.
#[tokio::test]
async fn the_default_chain_takes_what_the_environment_has() {
    let mut world = World::new().await;
    let settings = world.azure.settings();
    world.config.credentials = AzureCredentials::Default;

    // A system-assigned identity of the machine.
    works(&world).await;
    // A user-assigned one.
    world.settings.surroundings.client_id = Some(settings.client_id);
    works(&world).await;
    // A pod in Kubernetes.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, &settings.assertion).unwrap();
    world.settings.surroundings.tenant_id = Some(settings.tenant_id);
    world.settings.surroundings.token_file = Some(file.display().to_string());
    works(&world).await;
    // An application.
    world.settings.surroundings.client_secret = Some(AzureSecret::new(settings.client_secret));
    works(&world).await;
    world.settings.surroundings.client_secret = Some(AzureSecret::new("s3cr3t"));
    let error = world.store().get("key").await.map(drop).unwrap_err();
    assert!(matches!(error, Error::Denied(_)), "{error:?}");
}

#[tokio::test]
async fn a_wrong_client_secret_is_told() {
    let mut world = World::new().await;
    let settings = world.azure.settings();
    for (tenant, client, secret, message) in [
        (
            &settings.tenant_id,
            &settings.client_id,
            "wr0ng",
            "azure: login failed: 401: AADSTS7000215: Invalid client secret provided.",
        ),
        (
            &settings.tenant_id,
            &"another".to_owned(),
            "wr0ng",
            "azure: login failed: 400: AADSTS700016: Application was not found",
        ),
        (
            &"other.example".to_owned(),
            &settings.client_id,
            "wr0ng",
            "azure: login failed: 400: AADSTS90002: Tenant not found.",
        ),
    ] {
        world.config.credentials = AzureCredentials::ClientSecret {
            tenant_id: tenant.clone(),
            client_id: client.clone(),
            client_secret: SecretSource::Value(Secret::new(secret.into())),
        };
        let store = world.store();
        for outcome in [
            store.get("key").await.map(drop),
            store.create("key", b"value").await,
        ] {
            let error = outcome.unwrap_err();
            assert!(matches!(error, Error::Denied(_)), "{error:?}");
            assert!(!texts(&error).contains("wr0ng"));
            let cause = cause(error);
            assert!(cause.starts_with(message), "{cause}");
        }
        assert_eq!(logins(&world), 1, "the second one waits for its turn");
    }
}

#[tokio::test]
async fn a_client_secret_in_a_file_may_change() {
    let mut world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("client-secret");
    let AzureCredentials::ClientSecret { client_secret, .. } = &mut world.config.credentials else {
        panic!("other credentials");
    };
    *client_secret = SecretSource::File(file.clone());
    fs::write(&file, world.azure.settings().client_secret + "\n").unwrap();
    let store = world.store();
    store.create("key", b"value").await.unwrap();
    world
        .azure
        .set(|settings| settings.client_secret = "n3xt".into());
    world.azure.revoke_tokens();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(matches!(store.get("key").await, Err(Error::Denied(_))));
    fs::write(&file, "n3xt\n").unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    store.get("key").await.unwrap();
}

#[tokio::test]
async fn a_token_is_used_until_it_is_not_accepted() {
    let world = World::new().await;
    let store = Arc::new(world.store());
    store.create("key", b"value").await.unwrap();
    for _ in 0..20 {
        store.get("key").await.unwrap();
    }
    assert_eq!(logins(&world), 1);
    tokio::time::sleep(Duration::from_secs(3)).await;
    world.azure.revoke_tokens();
    let mut reads = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let store = Arc::clone(&store);
        reads.spawn(async move { store.get("key").await.map(drop) });
    }
    for read in reads.join_all().await {
        read.unwrap();
    }
    assert_eq!(logins(&world), 1);
}

/// A token that lives less than five minutes is replaced all the time, but not at
/// every request.
#[tokio::test]
async fn tokens_may_be_short_lived() {
    let world = World::new().await;
    world
        .azure
        .set(|settings| settings.token_life = Duration::from_secs(2));
    let store = world.store();
    store.create("key", b"value").await.unwrap();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(5) {
        store.get("key").await.unwrap();
    }
    let logins = logins(&world);
    assert!((2..=5).contains(&logins), "{logins} logins");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_service_that_fails_is_answered_in_time() {
    let mut world = World::new().await;
    let client_id = world.azure.settings().client_id;
    let managed = AzureCredentials::ManagedIdentity { client_id };
    let secret = world.config.credentials.clone();
    for credentials in [secret, managed] {
        world.config.credentials = credentials;
        let store = world.store();
        let service = match &world.config.credentials {
            AzureCredentials::ManagedIdentity { .. } => &world.metadata,
            _ => &world.login,
        };
        let url = service.url();
        for (fault, reachable, message) in [
            (Fault::Hang, false, url.as_str()),
            (Fault::Drop, false, url.as_str()),
            (
                Fault::Answer(StatusCode::SERVICE_UNAVAILABLE, "busy".into()),
                true,
                "azure: login failed: 503: busy",
            ),
            (
                Fault::Page(StatusCode::OK, "text/html", "<html>".into()),
                true,
                "azure: login failed: ",
            ),
        ] {
            service.faults().plan(usize::MAX, "", fault.clone());
            let start = Instant::now();
            let error = store.get("key").await.map(drop).unwrap_err();
            let took = start.elapsed();
            println!(
                "{fault:?}: {took:?}: {}",
                texts(&error).lines().nth(2).unwrap_or_default()
            );
            assert!(took < Duration::from_secs(15), "{took:?}");
            assert_eq!(
                !matches!(error, Error::Unreachable(_)),
                reachable,
                "{error:?}"
            );
            let cause = cause(error);
            assert!(cause.contains(message), "{cause}");
            service.faults().clear();
            let start = Instant::now();
            while matches!(
                store.create("key", b"value").await,
                Err(Error::Unreachable(_) | Error::Failed(_))
            ) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert!(start.elapsed() < Duration::from_secs(5));
            // The next one asks for a token of its own.
            tokio::time::sleep(Duration::from_secs(3)).await;
            world.azure.revoke_tokens();
        }
    }
}
