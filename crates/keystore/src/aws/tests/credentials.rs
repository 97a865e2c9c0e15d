use std::fs;

use keystead_config::SecretSource;
use keystead_doubles::{AwsKeys, AwsSettings};

use super::{World, open, told};
use crate::{Error, KeyStore};

/// Of how the service behaves.
type Change = fn(&mut AwsSettings);

#[tokio::test]
async fn session_tokens_are_sent() {
    let world = World::new().await;
    world
        .aws
        .set(|settings| settings.keys = AwsKeys::session(1));
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    assert_eq!(*store.get("key").await.unwrap(), *b"value");
}

#[tokio::test]
async fn credentials_in_files_are_read_again_every_time() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let (key, token) = (folder.path().join("key"), folder.path().join("token"));
    let write = |keys: &AwsKeys| {
        fs::write(&key, format!("{}\n", keys.secret_key)).unwrap();
        fs::write(&token, keys.token.as_deref().unwrap()).unwrap();
    };
    let [old, mut new] = [1, 2].map(AwsKeys::session);
    new.access_key.clone_from(&old.access_key);
    world.aws.set(|settings| settings.keys = old.clone());
    write(&old);
    let mut config = world.config();
    let credentials = config.credentials.as_mut().unwrap();
    credentials.secret_key = SecretSource::File(key.clone());
    credentials.token = Some(SecretSource::File(token.clone()));
    let store = open(&config).await.unwrap();
    store.create("key", b"value").await.unwrap();

    world.aws.set(|settings| settings.keys = new.clone());
    let error = store.get("key").await.unwrap_err();
    assert!(matches!(error, Error::Denied(_)));
    write(&new);
    store.get("key").await.unwrap();

    fs::remove_file(&token).unwrap();
    let error = store.get("key").await.unwrap_err();
    assert!(matches!(error, Error::Failed(_)));
    let text = told(&error);
    assert!(
        text.contains(&format!("{}: No such file", token.display())),
        "{text}"
    );
    // The service is there all the while.
    store.status().await.unwrap();
}

#[tokio::test]
async fn wrong_credentials_are_told_apart() {
    let world = World::new().await;
    world
        .aws
        .set(|settings| settings.keys = AwsKeys::session(1));
    let config = world.config();
    let cases: [(Change, &str); 5] = [
        (
            |settings| settings.keys.access_key = "AKIAOTHER".into(),
            "UnrecognizedClientException (look at accesskey and token)",
        ),
        (
            |settings| settings.keys.token = None,
            "UnrecognizedClientException (look at accesskey and token)",
        ),
        (
            |settings| settings.keys.secret_key = "other".into(),
            "InvalidSignatureException (look at secretkey and region, and at the clock of this \
             machine)",
        ),
        (
            |settings| settings.region = "eu-central-1".into(),
            "InvalidSignatureException (look at secretkey and region, and at the clock of this \
             machine)",
        ),
        (
            |settings| settings.is_expired = true,
            "ExpiredTokenException (the session has ended: renew the token)",
        ),
    ];
    let right = world.aws.settings();
    for (change, expected) in cases {
        world.aws.set(|settings| {
            settings.clone_from(&right);
            change(settings);
        });
        let store = open(&config).await.unwrap();
        let error = store.create("key", b"v4lue").await.unwrap_err();
        assert!(matches!(error, Error::Denied(_)), "{error:?}");
        assert_eq!(
            told(&error),
            format!(
                "key store denied access: aws: CreateSecret: credentials are not accepted: \
                 {expected}"
            ),
        );
    }
}

#[tokio::test]
async fn a_missing_right_is_a_denial() {
    let world = World::new().await;
    let store = world.store().await;
    store.create("key", b"value").await.unwrap();
    let all = [
        "CreateSecret",
        "GetSecretValue",
        "DeleteSecret",
        "ListSecrets",
    ];
    world
        .aws
        .set(|settings| settings.denied = all.map(str::to_owned).to_vec());
    world.actions();
    let outcomes = [
        store.create("key", b"value").await,
        store.get("key").await.map(drop),
        store.delete("key").await,
        store.list("", "", 9).await.map(drop),
    ];
    for (outcome, action) in outcomes.into_iter().zip(all) {
        let error = outcome.unwrap_err();
        assert!(matches!(error, Error::Denied(_)), "{error:?}");
        let resource = if action == "ListSecrets" { "*" } else { "key" };
        let expected = format!(
            "key store denied access: aws: {action}: AccessDeniedException: User: \
             arn:aws:iam::123456789012:user/kes is not authorized to perform: \
             secretsmanager:{action} on resource: {resource} because no identity-based policy \
             allows the secretsmanager:{action} action"
        );
        assert!(
            told(&error).starts_with(&expected[..200]),
            "{}",
            told(&error)
        );
    }
    // Nothing of it is tried again.
    assert_eq!(world.actions(), all);
    store.status().await.unwrap();
}

/// The service itself repeats the session token when a signature is wrong.
#[tokio::test]
async fn no_error_shows_a_secret() {
    let world = World::new().await;
    let keys = AwsKeys::session(1);
    world.aws.set(|settings| settings.keys = keys.clone());
    let store = world.store().await;
    let value = "CiYKIPl1rQ==".repeat(20);
    let careless = format!(
        "key={} token={} value={value}",
        keys.secret_key,
        keys.token.as_deref().unwrap()
    );
    let mut texts = String::new();
    for fault in [
        super::refusal(400, "InvalidRequestException", &careless),
        super::refusal(403, "SomethingElse", &careless),
        keystead_doubles::Fault::Page(http::StatusCode::FORBIDDEN, "text/html", careless.clone()),
    ] {
        world.plan(1, "CreateSecret", fault);
        let error = store.create("key", value.as_bytes()).await.unwrap_err();
        texts += &format!("{error:?} {}\n", told(&error));
    }
    world
        .aws
        .set(|settings| settings.keys.secret_key = "other".into());
    let error = store.create("key", value.as_bytes()).await.unwrap_err();
    texts += &format!("{error:?} {}\n", told(&error));
    assert!(texts.contains("key=*** token=*** value=***"), "{texts}");
    for secret in [&keys.secret_key, keys.token.as_ref().unwrap(), &value] {
        assert!(!texts.contains(secret.as_str()), "{texts}");
    }
}
