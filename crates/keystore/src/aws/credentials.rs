use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::Client as Metadata;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
#[expect(
    deprecated,
    reason = "the new name is in a crate that nothing else is needed of"
)]
use aws_config::profile::profile_file::ProfileFiles;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided, future};
use aws_sdk_secretsmanager::config::Region;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use keystead_config::SecretSource;
use keystead_config::kes::AwsCredentials;
use keystead_crypto::Secret;
use keystead_observe::Metrics;
use tokio::task;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::error::AwsError;
use super::http::Http;

/// How long the chain may look. On a machine that is none of Amazon's, the metadata
/// service does not answer.
const LIMIT: Duration = Duration::from_secs(4);

/// How often whoever gives credentials is asked.
const ATTEMPTS: u32 = 2;

/// Where the credentials come from, and those in use.
pub(super) struct Signer {
    source: Source,
    in_use: Mutex<Option<Credentials>>,
    metrics: Arc<Metrics>,
}

enum Source {
    /// Those of the configuration.
    Fixed(AwsCredentials),
    /// Whatever the surroundings have.
    Chain(CredentialsProviderChain),
}

// === impl Signer ===

impl Signer {
    pub(super) fn new(
        fixed: Option<AwsCredentials>,
        region: Region,
        http: &Http,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            source: fixed.map_or_else(|| Source::Chain(chain(region, http)), Source::Fixed),
            in_use: Mutex::default(),
            metrics,
        }
    }

    /// Whether the credentials come from the surroundings.
    pub(super) fn is_chain(&self) -> bool {
        matches!(self.source, Source::Chain(_))
    }

    /// What no error may show.
    pub(super) fn secrets(&self) -> Vec<Zeroizing<String>> {
        let in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let secrets = in_use.iter().flat_map(|credentials| {
            [
                Some(credentials.secret_access_key()),
                credentials.session_token(),
            ]
        });
        secrets
            .flatten()
            .map(|secret| Zeroizing::new(secret.to_owned()))
            .collect()
    }

    async fn provide(&self) -> Provided {
        let provided = match &self.source {
            Source::Fixed(fixed) => read(fixed).await.map_err(CredentialsError::provider_error),
            Source::Chain(chain) => {
                let provided = timeout(LIMIT, chain.provide_credentials())
                    .await
                    .unwrap_or_else(|_| Err(CredentialsError::provider_timed_out(LIMIT)));
                self.note(&provided);
                provided
            }
        }?;
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        *in_use = Some(provided.clone());
        Ok(provided)
    }

    /// Getting credentials is the login of this key store.
    fn note(&self, provided: &Provided) {
        let metrics = self.metrics.remote();
        metrics.login(provided.is_ok());
        match provided {
            Ok(credentials) => metrics.token(credentials.expiry().map(|end| {
                end.duration_since(SystemTime::now())
                    .unwrap_or(Duration::ZERO)
            })),
            Err(_) => metrics.no_token(),
        }
    }
}

impl ProvideCredentials for Signer {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

/// Environment, shared credentials file, web identity, container, EC2 metadata. The shared
/// *config* file is not read for credentials.
fn chain(region: Region, http: &Http) -> CredentialsProviderChain {
    let config = ProviderConfig::without_region()
        .with_region(Some(region))
        .with_http_client(http.clone())
        .with_retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS));
    #[expect(deprecated, reason = "see above")]
    let files = ProfileFiles::builder()
        .include_default_credentials_file(true)
        .build();
    let profile = ProfileFileCredentialsProvider::builder().configure(&config);
    let web = WebIdentityTokenCredentialsProvider::builder().configure(&config);
    let container = EcsCredentialsProvider::builder().configure(&config);
    let metadata = Metadata::builder()
        .configure(&config)
        .max_attempts(ATTEMPTS);
    let instance = ImdsCredentialsProvider::builder()
        .configure(&config)
        .imds_client(metadata.build());
    CredentialsProviderChain::first_try(
        "environment",
        EnvironmentVariableCredentialsProvider::new(),
    )
    .or_else("credentials file", profile.profile_files(files).build())
    .or_else("web identity", web.build())
    .or_else("container", container.build())
    .or_else("EC2 metadata", instance.build())
}

/// The credentials of the configuration as their files are now.
async fn read(fixed: &AwsCredentials) -> Result<Credentials, AwsError> {
    let secret_key = secret(&fixed.secret_key).await?;
    let token = match &fixed.token {
        Some(token) => Some(secret(token).await?),
        None => None,
    };
    Ok(Credentials::new(
        fixed.access_key.clone(),
        secret_key.expose(),
        token.map(|token| token.expose().to_owned()),
        None,
        "configuration",
    ))
}

async fn secret(source: &SecretSource) -> Result<Secret, AwsError> {
    let path = match source {
        SecretSource::Value(secret) => return Ok(secret.clone()),
        SecretSource::File(path) => path.clone(),
    };
    let source = source.clone();
    task::spawn_blocking(move || source.read())
        .await
        .unwrap_or_else(|error| Err(error.into()))
        .map_err(|source| AwsError::CredentialFile { path, source })
}
