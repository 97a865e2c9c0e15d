use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use keystead_crypto::{Random, SystemRandom};
use keystead_hsm::Hsm;
use keystead_identity::{KmsApiKey, KmsIdentity};

use super::Store;

/// How a store is opened.
pub struct Options {
    /// The directory of the data. It is made if it is missing, for its owner alone.
    pub dir: PathBuf,
    /// `host:port` under which other nodes and clients reach this node.
    pub host: String,
    /// The configured HSMs.
    pub hsms: Vec<Arc<dyn Hsm>>,
    /// `admin.identity` of the configuration: the root as long as it is set.
    pub admin: Option<KmsIdentity>,
    /// The API key that follows from the software HSM key (decision D2), if there is
    /// one. Only the first start uses it: its identity is recorded as root (decision
    /// D3).
    pub root_api_key: Option<KmsApiKey>,
    /// The heartbeat between nodes.
    pub heartbeat: Duration,
    /// Where keys and ids come from.
    pub random: Arc<dyn Random>,
}

/// A store that runs, and what its operator should be told.
pub struct Opened {
    /// The store.
    pub store: Store,
    /// Whether this was the first start.
    pub initialised: bool,
    /// The API key of the root, at the start that recorded it: to be shown once.
    pub root_api_key: Option<KmsApiKey>,
    /// What works but should be mended, a sentence each.
    pub warnings: Vec<String>,
}

// === impl Options ===

impl Options {
    /// The heartbeat when none is configured.
    pub const HEARTBEAT: Duration = Duration::from_millis(500);

    /// A store in `dir`, with the usual settings.
    #[must_use]
    pub fn new(dir: PathBuf, host: String, hsms: Vec<Arc<dyn Hsm>>) -> Self {
        Self {
            dir,
            host,
            hsms,
            admin: None,
            root_api_key: None,
            heartbeat: Self::HEARTBEAT,
            random: Arc::new(SystemRandom),
        }
    }
}
