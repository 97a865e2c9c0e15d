use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::http::{ClientOptions, RetryOptions, Transport};
use azure_core::time::OffsetDateTime;
use azure_identity::{
    ClientSecretCredential, ClientSecretCredentialOptions, DeveloperToolsCredential,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use keystead_config::SecretSource;
use keystead_config::kes::AzureCredentials;
use keystead_observe::Metrics;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::surroundings::Surroundings;
use super::transport::Wire;
use super::{AzureError, Settings};

/// How long a token is given out again instead of asking for another one. It is asked
/// for when the vault does not accept the last one, by all requests at once.
const TOKEN_REST: Duration = Duration::from_secs(3);

/// How long a refusal is given out again instead of asking once more.
const FAILURE_REST: Duration = Duration::from_secs(1);

/// How long the metadata service has to answer when it is not known whether there is one.
const PROBE: Duration = Duration::from_secs(2);

/// Gets tokens, each time from the credentials as they are then: a client secret in a
/// file may have changed, and a token that was kept may have been revoked.
pub(super) struct Login {
    credentials: AzureCredentials,
    surroundings: Surroundings,
    wire: Arc<Wire>,
    /// Which part of the default chain has had a token; none so far if there is no such part.
    chosen: AtomicUsize,
    last: Mutex<Option<Last>>,
    metrics: Arc<Metrics>,
}

/// What became of the last login.
struct Last {
    at: Instant,
    outcome: Result<AccessToken, AzureError>,
}

type Credential = Arc<dyn TokenCredential>;

// === impl Login ===

impl Login {
    /// # Errors
    ///
    /// If the credentials cannot be used at all; nobody is asked yet.
    pub(super) fn new(
        credentials: &AzureCredentials,
        settings: &Settings,
        wire: Arc<Wire>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, AzureError> {
        let login = Self {
            credentials: credentials.clone(),
            surroundings: settings.surroundings.clone(),
            wire,
            chosen: AtomicUsize::new(usize::MAX),
            last: Mutex::new(None),
            metrics,
        };
        login.candidates()?;
        Ok(login)
    }

    /// The credentials to try, one after the other.
    fn candidates(&self) -> Result<Vec<Credential>, AzureError> {
        let around = &self.surroundings;
        Ok(match &self.credentials {
            AzureCredentials::ClientSecret {
                tenant_id,
                client_id,
                client_secret,
            } => vec![self.client_secret(tenant_id, client_id, read(client_secret)?)?],
            AzureCredentials::ManagedIdentity { client_id } => {
                vec![self.managed_identity(Some(client_id))?]
            }
            AzureCredentials::Default => match (
                &around.tenant_id,
                &around.client_id,
                &around.client_secret,
                &around.token_file,
            ) {
                (Some(tenant), Some(client), Some(secret), _) => {
                    vec![self.client_secret(tenant, client, secret.clone())?]
                }
                (Some(tenant), Some(client), None, Some(file)) => {
                    vec![self.workload_identity(tenant, client, file)?]
                }
                (_, client, _, _) => vec![
                    self.managed_identity(client.as_deref())?,
                    developer_tools()?,
                ],
            },
        })
    }

    fn client_secret(
        &self,
        tenant_id: &str,
        client_id: &str,
        secret: Secret,
    ) -> Result<Credential, AzureError> {
        let options = ClientSecretCredentialOptions {
            client_options: self.options(),
        };
        match ClientSecretCredential::new(tenant_id, client_id.to_owned(), secret, Some(options)) {
            Ok(credential) => Ok(credential),
            Err(error) => Err(unusable(&error)),
        }
    }

    fn managed_identity(&self, client_id: Option<&str>) -> Result<Credential, AzureError> {
        let options = ManagedIdentityCredentialOptions {
            user_assigned_id: client_id.map(|id| UserAssignedId::ClientId(id.to_owned())),
            client_options: self.options(),
        };
        match ManagedIdentityCredential::new(Some(options)) {
            Ok(credential) => Ok(credential),
            Err(error) => Err(unusable(&error)),
        }
    }

    fn workload_identity(
        &self,
        tenant_id: &str,
        client_id: &str,
        token_file: &str,
    ) -> Result<Credential, AzureError> {
        let mut options = WorkloadIdentityCredentialOptions {
            client_id: Some(client_id.to_owned()),
            tenant_id: Some(tenant_id.to_owned()),
            token_file_path: Some(PathBuf::from(token_file)),
            ..Default::default()
        };
        options.credential_options.client_options = self.options();
        match WorkloadIdentityCredential::new(Some(options)) {
            Ok(credential) => Ok(credential),
            Err(error) => Err(unusable(&error)),
        }
    }

    /// How the crates send requests for tokens.
    fn options(&self) -> ClientOptions {
        let wire = Arc::clone(&self.wire);
        ClientOptions {
            retry: RetryOptions::none(),
            transport: Some(Transport::with_policy(wire)),
            cloud: self.surroundings.cloud(),
            ..ClientOptions::default()
        }
    }

    /// Asks the candidate that worked before, or all of them until one has a token.
    async fn log_in(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> Result<AccessToken, AzureError> {
        let candidates = self.candidates()?;
        let chosen = match candidates.len() {
            1 => 0,
            _ => self.chosen.load(Ordering::Relaxed),
        };
        if let Some(candidate) = candidates.get(chosen) {
            let outcome = candidate.get_token(scopes, options).await;
            return outcome.map_err(|error| AzureError::of(&error));
        }
        let mut failures = Vec::new();
        for (index, candidate) in candidates.iter().enumerate() {
            let request = candidate.get_token(scopes, options.clone());
            let outcome = match index {
                0 => timeout(PROBE, request).await.ok(),
                _ => Some(request.await),
            };
            failures.push(match outcome {
                Some(Ok(token)) => {
                    self.chosen.store(index, Ordering::Relaxed);
                    return Ok(token);
                }
                Some(Err(error)) => AzureError::of(&error).to_string(),
                None => "no managed identity".to_owned(),
            });
        }
        Err(AzureError::Credentials(format!(
            "the default credential chain has no token; configure 'credentials' or \
             'managed_identity' ({})",
            failures.join("; ")
        )))
    }

    /// Tells the metrics what became of a login.
    fn tell(&self, outcome: &Result<AccessToken, AzureError>) {
        let metrics = self.metrics.remote();
        metrics.login(outcome.is_ok());
        if let Ok(token) = outcome {
            let life = token.expires_on - OffsetDateTime::now_utc();
            metrics.token(Some(life.try_into().unwrap_or_default()));
        }
    }
}

// === impl Last ===

impl Last {
    /// The outcome, if it is too early for another login.
    fn still_counts(&self) -> Option<Result<AccessToken, AzureError>> {
        let rest = match &self.outcome {
            Ok(token) if token.expires_on <= OffsetDateTime::now_utc() => return None,
            Ok(_) => TOKEN_REST,
            Err(_) => FAILURE_REST,
        };
        (self.at.elapsed() < rest).then(|| self.outcome.clone())
    }
}

/// What somebody has logged in to on this machine: the `az` and `azd` programs.
fn developer_tools() -> Result<Credential, AzureError> {
    match DeveloperToolsCredential::new(None) {
        Ok(credential) => Ok(credential),
        Err(error) => Err(unusable(&error)),
    }
}

/// The client secret as it is now.
fn read(secret: &SecretSource) -> Result<Secret, AzureError> {
    match secret.read() {
        Ok(secret) => Ok(Secret::new(secret.expose().to_owned())),
        Err(error) => Err(AzureError::ClientSecret(Arc::new(error))),
    }
}

/// The error of a credential that cannot be made.
fn unusable(error: &azure_core::Error) -> AzureError {
    AzureError::Credentials(error.to_string())
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenCredential for Login {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        // One login at a time; the others get what it brings.
        let mut last = self.last.lock().await;
        if let Some(outcome) = last.as_ref().and_then(Last::still_counts) {
            return Ok(outcome?);
        }
        let outcome = self
            .log_in(scopes, options)
            .await
            .map_err(|error| AzureError::Login(Box::new(error)));
        self.tell(&outcome);
        *last = Some(Last {
            at: Instant::now(),
            outcome: outcome.clone(),
        });
        Ok(outcome?)
    }
}
