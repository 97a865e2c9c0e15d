//! Who the server is to Google Cloud.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use google_cloud_auth::build_errors::Error as BuildError;
use google_cloud_auth::credentials::service_account::AccessSpecifier;
use google_cloud_auth::credentials::{
    Builder, CacheableResource, Credentials, EntityTag, service_account,
};
use google_cloud_auth::errors::CredentialsError;
use http::{Extensions, HeaderMap};
use keystead_config::kes::GcpSecretManagerConfig;
use keystead_observe::{ErrorEvent, Level, Telemetry};
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::error::explain;
use crate::Error;

/// Credentials are not made anew more often. Those that are replaced live on in the
/// background until their token expires.
const MIN_AGE: Duration = Duration::from_secs(5);

/// Gives the headers that say who asks, for as long as the server runs.
///
/// Google's library renews tokens in time, but never again after a failure that it takes
/// for permanent, and it cannot be told that a token was rejected. So its credentials
/// are made anew then, from the file of the application default credentials if they came
/// from there.
pub(super) struct Login {
    source: Source,
    session: ArcSwap<Session>,
    limit: Duration,
    telemetry: Telemetry,
}

/// Credentials, and the token they gave last.
pub(super) struct Session {
    credentials: Credentials,
    since: Instant,
    token: Mutex<Option<EntityTag>>,
}

/// Where credentials come from.
enum Source {
    /// The parts of the key of a service account, and scopes.
    Account(serde_json::Value, Vec<String>),
    /// What the environment offers, for these scopes.
    Default(Vec<String>),
}

// === impl Login ===

impl Login {
    /// Makes credentials. `limit` is how long it may take to get a token.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] if they cannot be used, whatever the server says.
    pub(super) async fn new(
        config: &GcpSecretManagerConfig,
        limit: Duration,
        telemetry: Telemetry,
    ) -> Result<Self, Error> {
        // For the token requests and signatures of Google's library.
        keystead_tls::install_default();
        let source = Source::new(config);
        let session = source.session().map_err(|error| {
            Error::failed(format!(
                "gcp: application default credentials: {error}; see \
                 https://cloud.google.com/docs/authentication/application-default-credentials"
            ))
        })?;
        let login = Self {
            source,
            session: ArcSwap::from_pointee(session),
            limit,
            telemetry,
        };
        if let Source::Account(..) = login.source {
            // A token of a service account is signed here, nobody is asked for it.
            login.headers().await.map_err(|error| {
                Error::failed(format!(
                    "gcp: private_key: {}; copy it from the JSON file of the service account's key",
                    explain(&error)
                ))
            })?;
        }
        Ok(login)
    }

    /// The headers for a request, and the session that they are of.
    pub(super) async fn headers(&self) -> Result<(Arc<Session>, HeaderMap), CredentialsError> {
        let session = self.session.load_full();
        let outcome = self.ask(&session).await;
        match outcome {
            Err(_) if self.renew(&session) => {
                let session = self.session.load_full();
                let headers = self.ask(&session).await?;
                Ok((session, headers))
            }
            outcome => Ok((session, outcome?)),
        }
    }

    /// Takes note that a token was rejected; tells whether there is another to try.
    pub(super) fn rejected(&self, session: &Arc<Session>) -> bool {
        let renewed = self.renew(session);
        if renewed {
            let message = "gcp: the token is not accepted any more";
            let event = ErrorEvent::new(Level::WARN, message);
            self.telemetry.log.record(event);
        }
        renewed
    }

    /// Replaces a session that is of no use, unless it was made just now; tells whether
    /// there is another one.
    fn renew(&self, used: &Arc<Session>) -> bool {
        if !Arc::ptr_eq(used, &self.session.load()) {
            return true;
        }
        if used.since.elapsed() < MIN_AGE {
            return false;
        }
        match self.source.session() {
            Ok(session) => {
                self.session.compare_and_swap(used, Arc::new(session));
                true
            }
            Err(error) => {
                let message = "gcp: cannot read the application default credentials";
                let event = ErrorEvent::new(Level::ERROR, message);
                self.telemetry.log.record(event.error(&error));
                false
            }
        }
    }

    async fn ask(&self, session: &Session) -> Result<HeaderMap, CredentialsError> {
        let asking = session.credentials.headers(Extensions::new());
        let outcome = timeout(self.limit, asking).await.unwrap_or_else(|_| {
            let message = format!("no token within {:?}", self.limit);
            Err(CredentialsError::from_msg(true, message))
        });
        let metrics = self.telemetry.metrics.remote();
        match outcome {
            Ok(CacheableResource::New { entity_tag, data }) => {
                let mut last = session.token.lock().unwrap_or_else(PoisonError::into_inner);
                match last.replace(entity_tag.clone()) {
                    None => metrics.login(true),
                    Some(last) if last != entity_tag => metrics.renewal(true),
                    Some(_) => {}
                }
                Ok(data)
            }
            Ok(CacheableResource::NotModified) => {
                Err(CredentialsError::from_msg(true, "no token was given"))
            }
            Err(error) => {
                metrics.login(false);
                Err(error)
            }
        }
    }
}

// === impl Source ===

impl Source {
    fn new(config: &GcpSecretManagerConfig) -> Self {
        let scopes = config.scopes.clone();
        match &config.credentials {
            None => Self::Default(scopes),
            Some(credentials) => {
                let key = json!({
                    "type": "service_account",
                    "project_id": config.project_id,
                    "client_email": credentials.client_email,
                    "client_id": credentials.client_id,
                    "private_key_id": credentials.private_key_id,
                    "private_key": credentials.private_key.expose(),
                    "token_uri": "https://accounts.google.com/o/oauth2/token",
                });
                Self::Account(key, scopes)
            }
        }
    }

    fn session(&self) -> Result<Session, BuildError> {
        let credentials = match self {
            Self::Account(key, scopes) => service_account::Builder::new(key.clone())
                .with_access_specifier(AccessSpecifier::from_scopes(scopes.clone()))
                .build()?,
            Self::Default(scopes) => Builder::default().with_scopes(scopes.clone()).build()?,
        };
        Ok(Session {
            credentials,
            since: Instant::now(),
            token: Mutex::new(None),
        })
    }
}
