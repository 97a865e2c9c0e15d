use std::sync::Arc;

use keystead_config::kes::CacheConfig;
use keystead_keystore::{Cache, CacheSettings, KeyStore};
use keystead_observe::{ErrorLog, Metrics};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// A key store in use, behind its cache.
///
/// When the last state and the last request that work with it are gone, the timers
/// of the cache end and the key store is closed.
pub(crate) struct Keys {
    pub(crate) cache: Arc<Cache>,
    _in_use: DropGuard,
}

/// The key stores in use and about to be closed: more than one only around a reload.
pub(crate) struct Stores {
    metrics: Arc<Metrics>,
    log: Arc<ErrorLog>,
    open: TaskTracker,
    closing: CancellationToken,
}

// === impl Stores ===

impl Stores {
    pub(crate) fn new(metrics: Arc<Metrics>, log: Arc<ErrorLog>) -> Self {
        Self {
            metrics,
            log,
            open: TaskTracker::new(),
            closing: CancellationToken::new(),
        }
    }

    /// Puts a key store to use.
    pub(crate) fn open(&self, store: Arc<dyn KeyStore>, config: CacheConfig) -> Keys {
        let settings = CacheSettings::new(config.any, config.unused, config.offline);
        let cache = Arc::new(Cache::new(store, settings, Arc::clone(&self.metrics)));
        let unused = self.closing.child_token();
        let in_use = unused.clone().drop_guard();
        self.open.spawn({
            let cache = Arc::clone(&cache);
            let log = Arc::clone(&self.log);
            async move {
                cache.run(&log, unused.cancelled()).await;
                cache.store().close().await;
            }
        });
        Keys {
            cache,
            _in_use: in_use,
        }
    }

    /// Closes all of them, used or not.
    pub(crate) async fn close(&self) {
        self.closing.cancel();
        self.open.close();
        self.open.wait().await;
    }
}
