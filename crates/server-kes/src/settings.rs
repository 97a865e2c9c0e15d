use std::sync::Arc;

use keystead_config::kes::ServerConfig;
use keystead_crypto::Random;
use keystead_keystore::KeyStore;
use keystead_observe::{AuditLog, ErrorLog, Metrics};
use keystead_tls::ServerTls;

/// What a server keeps over every reload.
pub struct Setup {
    /// What the program says about itself.
    pub build: Build,
    /// Where keys, data keys and nonces come from.
    pub random: Arc<dyn Random>,
    /// Counters, and the start of the up time.
    pub metrics: Arc<Metrics>,
    /// Receives what went wrong and who was refused.
    pub error_log: Arc<ErrorLog>,
    /// Receives every request.
    pub audit_log: Arc<AuditLog>,
}

/// The version of a program, as `/version` and `/v1/status` show it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Build {
    /// The release.
    pub version: String,
    /// The source revision.
    pub commit: String,
}

/// One configuration with everything it needs to run; a reload brings a new one.
pub struct Settings {
    /// The configuration file. Its `tls` section and its key store are not looked
    /// at again, except for the trusted proxies.
    pub config: ServerConfig,
    /// The key store; the server closes it when it is no longer in use. See
    /// [`open_store`](crate::open_store).
    pub store: Arc<dyn KeyStore>,
    /// Certificate and client authentication. See [`server_tls`](crate::server_tls).
    pub tls: ServerTls,
}
