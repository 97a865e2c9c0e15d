use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use keystead_config::kes::{ProxyConfig, ServerConfig, TlsConfig};
use keystead_crypto::{Cipher, Random, StoredKey};
use keystead_http::Router;
use keystead_keystore::Error as StoreError;
use keystead_policy::PolicySet;
use keystead_tls::{ProxyRules, ServerTls};
use keystead_wire_kes::ApiList;
use tokio::time::timeout;

use crate::Error;
use crate::keys::Keys;
use crate::route::{Route, routes};

/// How long the key store may take for a key that no request asks for: as long as for
/// one of the API.
pub(crate) const STORE_LIMIT: Duration = Duration::from_secs(15);

/// One configuration at work. Never changed: a reload makes a new one.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) routes: Arc<Router<Route>>,
    /// The answer of `/v1/api`.
    pub(crate) apis: Bytes,
    pub(crate) policies: Arc<PolicySet>,
    pub(crate) keys: Arc<Keys>,
    /// `None` if no proxy is trusted.
    pub(crate) proxy: Option<Arc<ProxyRules>>,
    /// Whether errors have the texts of 2021 (decision D41).
    pub(crate) historic_errors: bool,
    /// Whether an API may be called without authentication, so that the handshake
    /// does not insist on a certificate.
    pub(crate) certificate_optional: bool,
}

// === impl State ===

impl State {
    pub(crate) fn new(config: &ServerConfig, keys: Keys, tls: &ServerTls) -> Result<Self, Error> {
        Ok(Self {
            routes: Arc::new(Router::new(
                routes(&config.api).map(|route| (route.endpoint.path, route)),
            )),
            apis: ApiList {
                apis: routes(&config.api).map(|route| route.info()).collect(),
            }
            .encode(),
            policies: Arc::new(policies(config)?),
            keys: Arc::new(keys),
            proxy: proxy(&config.tls.proxy, tls),
            historic_errors: config.compat.historic_errors,
            certificate_optional: config.client_certificate_optional(),
        })
    }

    /// The same state with the `tls` section of a changed configuration.
    pub(crate) fn with_tls(&self, config: &TlsConfig, tls: &ServerTls) -> Self {
        Self {
            proxy: proxy(&config.proxy, tls),
            ..self.clone()
        }
    }

    /// Creates the keys of the configuration that do not exist.
    pub(crate) async fn create_keys(
        &self,
        config: &ServerConfig,
        random: &dyn Random,
    ) -> Result<(), Error> {
        for name in &config.keys {
            let key = StoredKey::generate(
                Cipher::native(),
                random,
                Timestamp::now(),
                config.admin.as_str(),
            )
            .map_err(|source| Error::GenerateKey {
                name: name.to_string(),
                source,
            })?;
            let created = timeout(STORE_LIMIT, self.keys.cache.create(name.as_str(), &key))
                .await
                .unwrap_or_else(|late| Err(StoreError::unreachable(late)));
            match created {
                Ok(()) | Err(StoreError::KeyExists) => {}
                Err(source) => {
                    return Err(Error::CreateKey {
                        name: name.to_string(),
                        source,
                    });
                }
            }
        }
        Ok(())
    }
}

/// The admin and the policies of a configuration.
///
/// # Errors
///
/// [`Error::Policy`] if they contradict each other.
pub fn policies(config: &ServerConfig) -> Result<PolicySet, Error> {
    let admin = PolicySet::new(config.admin.clone());
    config
        .policies
        .iter()
        .try_fold(admin, |set, (name, policy)| {
            let identities = policy.identities.iter().cloned();
            Ok(set.with_policy(name.as_str(), policy.rules.clone(), identities)?)
        })
}

/// The rules for trusted proxies, if there are any.
fn proxy(config: &ProxyConfig, tls: &ServerTls) -> Option<Arc<ProxyRules>> {
    (!config.identities.is_empty()).then(|| {
        let header = config.header.as_deref().unwrap_or_default();
        Arc::new(ProxyRules::new(
            config.identities.iter().cloned(),
            header,
            tls,
        ))
    })
}
