mod credentials;
mod error;
mod http;

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::http::HttpResponse;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::{
    AppName, BehaviorVersion, Config, IdentityCache, ProvideCredentials, Region,
    SharedCredentialsProvider, StalledStreamProtectionConfig,
};
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use keystead_config::kes::AwsSecretsManagerConfig;
use keystead_observe::{ErrorEvent, Level, Telemetry};
use keystead_rest::{Endpoint, Limits, Transport};
use keystead_tls::{ClientSettings, Trust};
use keystead_wire_kes::Name;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use zeroize::Zeroizing;

use self::credentials::Signer;
use self::error::{Action, AwsError};
use self::http::Http;
use crate::{Error, KeyStore};

/// How often a request is made that fails for a passing reason (key stores, section 6).
const ATTEMPTS: u32 = 4;

/// The longest pause before the first repetition; it doubles with each.
const PAUSE: Duration = Duration::from_millis(250);

/// The longest pause of all.
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// How long credentials of the surroundings are kept at least, even if they are refused.
const SESSION: Duration = Duration::from_secs(3);

/// The most bytes of the page that tells whether the service is there.
const MAX_PAGE: usize = 1 << 20;

/// Keys as secrets of AWS Secrets Manager (key stores, section 6).
///
/// The crates of the vendor make and sign the requests; they travel over the connections
/// and the TLS of this project.
pub struct AwsStore {
    config: AwsSecretsManagerConfig,
    description: String,
    endpoint: Endpoint,
    limits: Limits,
    http: Http,
    service: Arc<Transport>,
    session: ArcSwap<Session>,
    telemetry: Telemetry,
    first_look: AbortHandle,
}

/// A client with the credentials that it has found.
struct Session {
    client: Client,
    signer: Arc<Signer>,
    since: Instant,
}

// === impl AwsStore ===

impl AwsStore {
    /// Looks whether the service is there. Credentials are not needed for that: those of
    /// the configuration are first used by the first call, those of the surroundings are
    /// looked for meanwhile, and if there are none the log says so.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`], and [`Error::Failed`] for an endpoint that is no URL.
    pub async fn open(
        config: &AwsSecretsManagerConfig,
        telemetry: Telemetry,
    ) -> Result<Self, Error> {
        Self::with(config, telemetry, Limits::default()).await
    }

    async fn with(
        config: &AwsSecretsManagerConfig,
        telemetry: Telemetry,
        limits: Limits,
    ) -> Result<Self, Error> {
        let url = match config.endpoint.as_str() {
            url if url.contains("://") => url.to_owned(),
            host => format!("https://{host}"),
        };
        let endpoint =
            Endpoint::parse(&url).map_err(|error| Error::failed(AwsError::from(error)))?;
        let tls = keystead_tls::client(ClientSettings {
            credential: None,
            trust: Trust::System,
        })
        .map_err(AwsError::from)?;
        let http = Http::new(tls, limits, Arc::clone(&telemetry.metrics));
        let service = http
            .transport(&endpoint.to_string())
            .map_err(AwsError::from)?;
        let session = Session::start(config, &endpoint, &http, &telemetry);
        let signer = Arc::clone(&session.signer);
        let store = Self {
            description: format!("AWS SecretsManager: {}", config.endpoint),
            config: config.clone(),
            endpoint,
            limits,
            http,
            service,
            session: ArcSwap::from_pointee(session),
            first_look: tokio::spawn(first_look(signer, telemetry.clone())).abort_handle(),
            telemetry,
        };
        store.status().await?;
        Ok(store)
    }

    /// Makes a call; once more if the surroundings may have other credentials by now.
    async fn call<T, E, F>(
        &self,
        action: Action,
        value: Option<&str>,
        send: impl Fn(Client) -> F + Send + Sync,
    ) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        T: Send,
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let limit = self.limits.call;
        let calls = async {
            let session = self.session.load_full();
            let outcome = session.call(action, value, &send).await;
            match outcome {
                Err(error) if error.is_about_credentials() => match self.renew(&session) {
                    Some(session) => session.call(action, value, &send).await,
                    None => Err(error),
                },
                outcome => outcome,
            }
        };
        timeout(limit, calls)
            .await
            .unwrap_or(Err(AwsError::Deadline { action, limit }))
    }

    /// Another session than the one that failed, unless that is new or would be the same.
    fn renew(&self, failed: &Arc<Session>) -> Option<Arc<Session>> {
        let current = self.session.load_full();
        if !Arc::ptr_eq(&current, failed) {
            return Some(current);
        }
        if !failed.signer.is_chain() || failed.since.elapsed() < SESSION {
            return None;
        }
        let session = Session::start(&self.config, &self.endpoint, &self.http, &self.telemetry);
        let session = Arc::new(session);
        self.session.store(Arc::clone(&session));
        Some(session)
    }
}

impl Drop for AwsStore {
    fn drop(&mut self) {
        self.first_look.abort();
    }
}

// === impl Session ===

impl Session {
    fn start(
        config: &AwsSecretsManagerConfig,
        endpoint: &Endpoint,
        http: &Http,
        telemetry: &Telemetry,
    ) -> Self {
        let region = Region::new(config.region.clone());
        let metrics = Arc::clone(&telemetry.metrics);
        let signer = Signer::new(config.credentials.clone(), region.clone(), http, metrics);
        let signer = Arc::new(signer);
        let provider: Arc<dyn ProvideCredentials> = Arc::<Signer>::clone(&signer);
        let retry = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(PAUSE)
            .with_max_backoff(MAX_PAUSE);
        let builder = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region)
            .endpoint_url(endpoint.to_string())
            .http_client(http.clone())
            .credentials_provider(SharedCredentialsProvider::new(provider))
            .retry_config(retry)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        let mut builder = if signer.is_chain() {
            builder.identity_cache(IdentityCache::lazy().build())
        } else {
            // Their files are read again every time.
            builder.identity_cache(IdentityCache::no_cache())
        };
        builder.set_app_name(AppName::new("keystead").ok());
        Self {
            client: Client::from_conf(builder.build()),
            signer,
            since: Instant::now(),
        }
    }

    async fn call<T, E, F>(
        &self,
        action: Action,
        value: Option<&str>,
        send: &(impl Fn(Client) -> F + Send + Sync),
    ) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        T: Send,
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        send(self.client.clone()).await.map_err(|error| {
            let secrets = self.signer.secrets();
            let secrets: Vec<&str> = secrets.iter().map(|s| s.as_str()).chain(value).collect();
            AwsError::of(action, &error, &secrets)
        })
    }
}

/// Tells early that there are no credentials.
async fn first_look(signer: Arc<Signer>, telemetry: Telemetry) {
    if signer.is_chain()
        && let Err(error) = signer.provide_credentials().await
    {
        let error = AwsError::without_credentials(&error);
        let event = ErrorEvent::new(Level::WARN, "aws: requests cannot be signed");
        telemetry.log.record(event.error(&error));
    }
}

#[async_trait]
impl KeyStore for AwsStore {
    fn description(&self) -> String {
        self.description.clone()
    }

    async fn status(&self) -> Result<Duration, Error> {
        let start = Instant::now();
        self.service
            .once(|client, endpoint| client.get(endpoint.url("/")), MAX_PAGE)
            .await
            .map_err(AwsError::from)?;
        Ok(start.elapsed())
    }

    async fn create(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        let value = std::str::from_utf8(value).map_err(|_| AwsError::NotText)?;
        let created = self.call(Action::CreateSecret, Some(value), |client| {
            client
                .create_secret()
                .name(name)
                .secret_string(value)
                .set_kms_key_id(self.config.kms_key.clone())
                .send()
        });
        Ok(created.await.map(drop)?)
    }

    async fn get(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let secret = self
            .call(Action::GetSecretValue, None, |client| {
                client.get_secret_value().secret_id(name).send()
            })
            .await?;
        match (secret.secret_string, secret.secret_binary) {
            (Some(text), _) => Ok(Zeroizing::new(text.into_bytes())),
            (None, Some(binary)) => Ok(Zeroizing::new(binary.into_inner())),
            (None, None) => Err(AwsError::Empty.into()),
        }
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        let deleted = self.call(Action::DeleteSecret, None, |client| {
            client
                .delete_secret()
                .secret_id(name)
                .force_delete_without_recovery(true)
                .send()
        });
        Ok(deleted.await.map(drop)?)
    }

    async fn list(&self, prefix: &str, start: &str, limit: usize) -> Result<Vec<String>, Error> {
        let is_wanted =
            |name: &str| name.starts_with(prefix) && name >= start && Name::is_valid(name);
        let pages = async {
            let mut names = Vec::new();
            let mut token: Option<String> = None;
            loop {
                let page = self
                    .call(Action::ListSecrets, None, |client| {
                        client.list_secrets().set_next_token(token.clone()).send()
                    })
                    .await?;
                let secrets = page.secret_list.unwrap_or_default();
                let found = secrets.into_iter().filter_map(|secret| secret.name);
                names.extend(found.filter(|name| is_wanted(name)));
                match page.next_token.filter(|next| !next.is_empty()) {
                    None => return Ok(names),
                    next if next == token => return Err(AwsError::EndlessList),
                    next => token = next,
                }
            }
        };
        let (action, limit_of_call) = (Action::ListSecrets, self.limits.call);
        let mut names = timeout(limit_of_call, pages)
            .await
            .unwrap_or(Err(AwsError::Deadline {
                action,
                limit: limit_of_call,
            }))?;
        names.sort_unstable();
        names.dedup();
        names.truncate(limit);
        Ok(names)
    }

    async fn close(&self) {
        self.first_look.abort();
    }
}

#[cfg(test)]
mod tests;
