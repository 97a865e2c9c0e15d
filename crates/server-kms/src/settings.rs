use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use keystead_crypto::{Mode, Random};
use keystead_identity::KmsIdentity;
use keystead_observe::{BuildInfo, ErrorLog, KmsAuditLog, KmsMetrics, Level};
use keystead_store::Store;
use keystead_tls::ServerTls;

/// Starts the program anew. Called after the answer has been given.
pub type Restart = Arc<dyn Fn() + Send + Sync>;

/// What a server keeps over every reload.
pub struct Setup {
    /// What the program says about itself. The version is a time stamp such as
    /// `2026-11-21T16-00-00Z`.
    pub build: BuildInfo,
    /// Keys, policies and identities; closed by whoever opened it.
    pub store: Store,
    /// Where keys, data keys and nonces come from.
    pub random: Arc<dyn Random>,
    /// The time of what is created and audited.
    pub clock: fn() -> Timestamp,
    /// Which primitives may be used.
    pub mode: Mode,
    /// Counters, and the start of the up time.
    pub metrics: Arc<KmsMetrics>,
    /// Receives what went wrong; also the log that clients follow.
    pub error_log: Arc<ErrorLog>,
    /// Receives every request to commands, database and debugging.
    pub audit_log: Arc<KmsAuditLog>,
    /// What `POST /v1/debug/restart` does; none where a program cannot start itself.
    pub restart: Option<Restart>,
}

/// What a reload replaces as a whole.
pub struct Settings {
    /// Certificate and client authentication; a client certificate must be optional and
    /// unverified (MinIO KMS protocol, section 1.3).
    pub tls: ServerTls,
    /// Whether everybody may read the metrics.
    pub metrics_public: bool,
    /// Who may read the metrics beside the root.
    pub metrics_identities: BTreeSet<KmsIdentity>,
    /// The least level of the error log on the console.
    pub error_level: Level,
}
