mod deletion;
mod faults;
mod login;
mod races;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use keystead_config::SecretSource;
use keystead_config::kes::AzureCredentials;
use keystead_crypto::{Cipher, Secret, StoredKey, SystemRandom};
use keystead_doubles::{Authority, Azure, AzureSettings, Server};
use keystead_observe::{ErrorLog, Level, Metrics};

use super::*;
use crate::{Cache, CacheSettings, contract, create_key, read_key};

/// A vault with everything around it, and a store's configuration for it.
struct World {
    azure: Azure,
    vault: Server,
    login: Server,
    metadata: Server,
    config: AzureKeyVaultConfig,
    settings: Settings,
    telemetry: Telemetry,
    // The file of the authority goes with it.
    _authority: Authority,
}

impl World {
    /// A world whose stores do not wait for rivals.
    async fn new() -> Self {
        let settings = AzureSettings::default();
        let authority = Authority::new().unwrap();
        let azure = Azure::new(settings.clone());
        let vault = azure.vault(&authority).await.unwrap();
        let login = azure.login(&authority).await.unwrap();
        let metadata = azure.metadata(&authority).await.unwrap();
        let metrics = Metrics::new().unwrap();
        let log = ErrorLog::new(Level::INFO, std::io::sink(), Timestamp::now, &metrics);
        Self {
            config: AzureKeyVaultConfig {
                endpoint: vault.url(),
                credentials: AzureCredentials::ClientSecret {
                    tenant_id: settings.tenant_id,
                    client_id: settings.client_id,
                    client_secret: SecretSource::Value(Secret::new(settings.client_secret)),
                },
            },
            settings: Settings {
                limits: Limits {
                    call: CALL,
                    ..Limits::default()
                },
                settle: Duration::ZERO,
                surroundings: Surroundings {
                    authority: Some(login.url()),
                    metadata: Some(metadata.url()),
                    ..Surroundings::default()
                },
                trust: Trust::Only(authority.file()),
            },
            telemetry: Telemetry {
                log: Arc::new(log.unwrap()),
                metrics: Arc::new(metrics),
            },
            azure,
            vault,
            login,
            metadata,
            _authority: authority,
        }
    }

    /// A world whose stores wait as long as they do in the field.
    async fn patient() -> Self {
        let mut world = Self::new().await;
        world.settings.settle = SETTLE;
        world
    }

    fn open(&self) -> Result<AzureKeyVaultStore, AzureError> {
        AzureKeyVaultStore::with(&self.config, &self.telemetry, self.settings.clone())
    }

    fn store(&self) -> AzureKeyVaultStore {
        self.open().unwrap()
    }

    fn cache(&self) -> Cache {
        let settings = CacheSettings::new(Duration::MAX, Duration::MAX, Duration::ZERO);
        let metrics = Arc::clone(&self.telemetry.metrics);
        Cache::new(Arc::new(self.store()), settings, metrics)
    }
}

/// The whole chain of an error, as it is logged and as it is debugged.
fn texts(error: &Error) -> String {
    let mut texts = format!("{error:?}");
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = next {
        texts += &format!("\n{error}\n{error:?}");
        next = error.source();
    }
    texts
}

fn cause(error: Error) -> String {
    match error {
        Error::Unreachable(cause) | Error::Denied(cause) | Error::Failed(cause) => {
            cause.to_string()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn meets_the_contract() {
    for absent_is_404 in [false, true] {
        let world = World::new().await;
        world
            .azure
            .set(|settings| settings.absent_is_404 = absent_is_404);
        contract::check_with_narrow_names(async || {
            world.azure.clear();
            world.store()
        })
        .await;
    }
}

#[tokio::test]
async fn status_calls_leave_nothing_behind() {
    let world = World::new().await;
    contract::stays_flat(&world.store()).await;
}

#[tokio::test]
async fn is_described_by_its_endpoint_and_opens_without_a_request() {
    let world = World::new().await;
    let description = world.store().description();
    assert_eq!(
        description,
        format!("Azure KeyVault: {}", world.vault.url())
    );
    assert_eq!((world.vault.accepted(), world.login.accepted()), (0, 0));
}

#[tokio::test]
async fn endpoints_and_credentials_that_cannot_be_used_are_refused() {
    let mut world = World::new().await;
    for (endpoint, message) in [
        (
            "my-vault.vault.azure.net",
            "azure: invalid endpoint 'my-vault.vault.azure.net': the scheme is not 'https'",
        ),
        (
            "http://my-vault.vault.azure.net",
            "azure: the endpoint 'http://my-vault.vault.azure.net' does not begin with 'https://'",
        ),
    ] {
        world.config.endpoint = endpoint.into();
        assert_eq!(world.open().err().unwrap().to_string(), message);
    }
    world.config.endpoint = world.vault.url();
    let file = SecretSource::File("/nowhere/secret".into());
    for (tenant, client_secret, message) in [
        (
            "a b",
            SecretSource::Value(Secret::new("s".into())),
            "azure: invalid tenant ID a b.",
        ),
        ("t", file, "azure: failed to read the client secret: "),
    ] {
        world.config.credentials = AzureCredentials::ClientSecret {
            tenant_id: tenant.into(),
            client_id: "c".into(),
            client_secret,
        };
        let error = world.open().err().unwrap().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

/// Key stores, section 8: the value as it is, and nothing else.
#[tokio::test]
async fn keys_have_the_documented_form() {
    let world = World::new().await;
    let store = world.store();
    let key = StoredKey::generate(Cipher::Aes256, &SystemRandom, Timestamp::now(), "me").unwrap();
    create_key(&store, "my-key", &key).await.unwrap();
    let value = world.azure.versions("my-key").remove(0).value;
    assert_eq!(value.as_bytes(), key.encode().as_bytes());
    assert_eq!(STANDARD.decode(&value).unwrap()[0], 0x0a, "the first field");
    let put = world
        .vault
        .journal()
        .take()
        .into_iter()
        .rfind(|request| request.method() == http::Method::PUT)
        .unwrap();
    let body: serde_json::Value = serde_json::from_slice(put.body()).unwrap();
    assert_eq!(body, serde_json::json!({ "value": value }));
    assert_eq!(put.uri().path(), "/secrets/my-key");
    assert_eq!(put.uri().query(), Some("api-version=7.5"));
    assert_eq!(read_key(&store, "my-key").await.unwrap().id(), key.id());
}

#[tokio::test]
async fn keys_written_by_hand_work() {
    let world = World::new().await;
    let legacy = r#"{"bytes":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=","algorithm":"AES256"}"#;
    world.azure.put_secret("legacy", legacy);
    let value = world.store().get("legacy").await.unwrap();
    assert!(*value == legacy.as_bytes());
    let cache = world.cache();
    let key = cache.fetch("legacy").await.unwrap();
    assert_eq!(key.cipher(), Cipher::Aes256);
    assert!(key.hmac(b"message").is_err());
    world.azure.put_secret("no-key", "hello");
    assert!(matches!(cache.fetch("no-key").await, Err(Error::Failed(_))));
}

#[tokio::test]
async fn secrets_that_are_no_keys_are_not_listed() {
    let world = World::new().await;
    for name in ["a", "-", "-b", "z-1"] {
        world.azure.put_secret(name, "value");
    }
    let names = world.store().list("", "", usize::MAX).await.unwrap();
    assert_eq!(names, ["a", "z-1"]);
}

#[tokio::test]
async fn a_name_that_the_service_does_not_allow_says_so() {
    let world = World::new().await;
    let store = world.store();
    for error in [
        store.create("my_key", b"value").await.unwrap_err(),
        store.get("my_key").await.map(drop).unwrap_err(),
        store.delete("my_key").await.unwrap_err(),
    ] {
        assert_eq!(
            cause(error),
            "azure: 'my_key' cannot be the name of a secret: Azure Key Vault allows only 0-9, \
             A-Z, a-z and '-'; choose a key name without '_'"
        );
    }
    assert_eq!(world.vault.accepted(), 0);
}

/// Somebody has set the secret again, with the vendor's tools.
#[tokio::test]
async fn the_oldest_version_is_the_key_however_many_there_are() {
    let world = World::new().await;
    let store = world.store();
    store.create("key", b"first").await.unwrap();
    for number in 0..60 {
        world.azure.put_secret("key", &number.to_string());
    }
    world.azure.change("key", |versions| {
        for version in versions.iter_mut().skip(1) {
            version.created += 1;
        }
    });
    assert!(*store.get("key").await.unwrap() == b"first");
    let error = store.create("key", b"other").await.unwrap_err();
    assert!(matches!(error, Error::KeyExists));
    for number in 60..500 {
        world.azure.put_secret("key", &number.to_string());
    }
    assert_eq!(
        cause(store.get("key").await.map(drop).unwrap_err()),
        "azure: TooManyObjectVersions: the secret has more than 500 versions"
    );
}

#[tokio::test]
async fn secrets_that_must_not_be_used_are_not() {
    let world = World::new().await;
    let store = world.store();
    store.create("key", b"value").await.unwrap();
    let now = Timestamp::now().as_second();
    for (enabled, not_before, expires, message) in [
        (
            false,
            None,
            None,
            "azure: ObjectIsDisabled: the secret is disabled; enable it",
        ),
        (
            true,
            Some(now + 60),
            None,
            "azure: ObjectMustNotBeUsed: the activation date of the secret has not come",
        ),
        (
            true,
            None,
            Some(now - 60),
            "azure: ObjectIsExpired: the expiration date of the secret is over",
        ),
    ] {
        world.azure.change("key", |versions| {
            versions[0].enabled = enabled;
            versions[0].not_before = not_before;
            versions[0].expires = expires;
        });
        let error = store.get("key").await.map(drop).unwrap_err();
        assert!(matches!(error, Error::Failed(_)), "{error:?}");
        assert_eq!(cause(error), message);
        // Nor can it be created anew.
        assert!(store.create("key", b"other").await.is_err());
    }
    world.azure.change("key", |versions| {
        versions[0].not_before = Some(now - 60);
        versions[0].expires = Some(now + 60);
    });
    assert!(*store.get("key").await.unwrap() == b"value");
}
