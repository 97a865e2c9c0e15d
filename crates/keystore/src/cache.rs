use std::future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use keystead_config::GoDuration;
use keystead_crypto::StoredKey;
use keystead_observe::{ErrorLog, Metrics};
use tokio::sync::watch;
use tokio::time::{self, Instant, Interval, MissedTickBehavior};

use self::entries::Entries;
use self::outage::Outage;
use self::turns::Turns;
use crate::{Error, KeyStore, create_key, read_key};

mod entries;
mod outage;
mod settings;
#[cfg(test)]
mod tests;
mod turns;

pub use settings::CacheSettings;
#[cfg(feature = "azure")]
pub(crate) use turns::Turns as CreateTurns;

/// How often the key store is asked whether it is there, and how long it may
/// take to answer.
const PROBE_INTERVAL: Duration = Duration::from_secs(10);

/// Parsed keys in front of a key store (KES protocol, section 7).
///
/// An entry does not age. The whole cache is emptied every `any`, and every
/// half `unused` the entries that nobody asked for since the last time leave.
/// While the key store is offline and `offline` is set, both wait, and the
/// cache is emptied every `offline` instead.
///
/// Nothing negative is kept: a key that another server creates is found at
/// once.
pub struct Cache {
    store: Arc<dyn KeyStore>,
    settings: CacheSettings,
    metrics: Arc<Metrics>,
    entries: Entries,
    turns: Turns,
    outage: watch::Sender<Option<Outage>>,
}

impl Cache {
    /// An empty cache in front of a key store that counts as online. Its timers
    /// run inside [`Cache::run`].
    #[must_use]
    pub fn new(store: Arc<dyn KeyStore>, settings: CacheSettings, metrics: Arc<Metrics>) -> Self {
        metrics.keystore_online();
        Self {
            store,
            settings,
            metrics,
            entries: Entries::default(),
            turns: Turns::default(),
            outage: watch::Sender::new(None),
        }
    }

    /// The key store behind the cache.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn KeyStore> {
        &self.store
    }

    /// The key if it is cached. Takes no lock and does not wait.
    #[must_use]
    pub fn lookup(&self, name: &str) -> Option<Arc<StoredKey>> {
        let key = self.entries.lookup(name);
        if key.is_some() {
            self.metrics.cache_hit();
        } else {
            self.metrics.cache_miss();
        }
        key
    }

    /// Whether the key is cached, without counting as a use of it.
    #[must_use]
    pub fn is_cached(&self, name: &str) -> bool {
        self.entries.contains(name)
    }

    /// Reads the key from the key store after [`Cache::lookup`] missed it.
    ///
    /// Of several calls for one name one at a time asks the key store; after a
    /// success the others find its key in the cache, after a failure or a
    /// cancellation the next one tries for itself.
    ///
    /// # Errors
    ///
    /// Those of [`KeyStore::get`], and [`Error::Failed`] if the value is not a
    /// key.
    pub async fn fetch(&self, name: &str) -> Result<Arc<StoredKey>, Error> {
        let _turn = self.turns.take(name).await;
        if let Some(key) = self.entries.lookup(name) {
            return Ok(key);
        }
        let key = Arc::new(read_key(&*self.store, name).await?);
        self.entries.insert(name, Arc::clone(&key));
        Ok(key)
    }

    /// Stores a new key. It does not enter the cache before it is used.
    ///
    /// # Errors
    ///
    /// Those of [`KeyStore::create`]; but when the key store fails and the key
    /// is cached, it certainly exists, and [`Error::KeyExists`] says so.
    pub async fn create(&self, name: &str, key: &StoredKey) -> Result<(), Error> {
        let _turn = self.turns.take(name).await;
        match create_key(&*self.store, name, key).await {
            Ok(()) => {
                // Another server may have deleted a key of this name that is
                // still cached here. Data must not be sealed with it any more.
                self.entries.remove(name);
                Ok(())
            }
            Err(_) if self.is_cached(name) => Err(Error::KeyExists),
            Err(error) => Err(error),
        }
    }

    /// Deletes a key from the key store, then from the cache. A fetch that is
    /// under way cannot bring it back: both take turns.
    ///
    /// # Errors
    ///
    /// Those of [`KeyStore::delete`]. Unless it is [`Error::KeyNotFound`] the
    /// key stays cached.
    pub async fn delete(&self, name: &str) -> Result<(), Error> {
        let _turn = self.turns.take(name).await;
        let result = self.store.delete(name).await;
        if matches!(result, Ok(()) | Err(Error::KeyNotFound)) {
            self.entries.remove(name);
        }
        result
    }

    /// Lists names as the key store has them.
    ///
    /// # Errors
    ///
    /// Those of [`KeyStore::list`].
    pub async fn list(
        &self,
        prefix: &str,
        start: &str,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        self.store.list(prefix, start, limit).await
    }

    /// Asks the key store for its status, unless it is known to be offline.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] at once while it is offline; otherwise those of
    /// [`KeyStore::status`].
    pub async fn status(&self) -> Result<Duration, Error> {
        match self.offline_for() {
            Some(duration) => Err(Error::unreachable(format!(
                "key store is offline since {} ago",
                GoDuration::from(duration)
            ))),
            None => self.store.status().await,
        }
    }

    /// Whether the last probe failed.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.outage.borrow().is_some()
    }

    /// How long ago the first of the probes was that have failed since the last
    /// success; `None` while the key store is online.
    #[must_use]
    pub fn offline_for(&self) -> Option<Duration> {
        self.outage.borrow().map(|outage| outage.duration())
    }

    /// When that was. From then on keys can be used that are cached, and no others.
    #[must_use]
    pub fn offline_since(&self) -> Option<Timestamp> {
        self.outage.borrow().map(|outage| outage.since)
    }

    /// Runs the timers until `shutdown` is ready. `log` hears when the key store
    /// goes and when it comes back.
    pub async fn run(&self, log: &ErrorLog, shutdown: impl Future<Output = ()>) {
        let timers = async {
            tokio::join!(
                every(self.settings.any(), || self.sweep_any()),
                every(self.settings.unused() / 2, || self.sweep_unused()),
                every(self.settings.offline(), || self.sweep_offline()),
                self.keep_probing(log),
            )
        };
        tokio::select! {
            () = shutdown => {}
            _ = timers => {}
        }
    }

    fn sweep_any(&self) {
        if !self.is_paused() {
            self.entries.clear();
        }
    }

    fn sweep_unused(&self) {
        if !self.is_paused() {
            self.entries.retain_used();
        }
    }

    fn sweep_offline(&self) {
        if self.is_offline() {
            self.entries.clear();
        }
    }

    fn is_paused(&self) -> bool {
        !self.settings.offline().is_zero() && self.is_offline()
    }

    async fn keep_probing(&self, log: &ErrorLog) {
        let mut ticks = ticks(PROBE_INTERVAL);
        loop {
            ticks.tick().await;
            self.probe(log).await;
        }
    }

    /// Asks twice before the key store counts as offline: one lost connection
    /// is not an outage.
    async fn probe(&self, log: &ErrorLog) {
        let beginning = Outage::beginning(log, &self.metrics);
        let mut result = self.bounded_status().await;
        if result.is_err() {
            result = self.bounded_status().await;
        }
        if let Ok(latency) = result {
            self.metrics.keystore_latency(latency);
        }
        let outage = *self.outage.borrow();
        match (result, outage) {
            (Err(error), None) => {
                self.outage.send_replace(Some(beginning));
                self.metrics.keystore_offline(beginning.since);
                log.record(beginning.noticed(&error));
            }
            (Ok(_), Some(outage)) => {
                self.outage.send_replace(None);
                self.metrics.keystore_online();
                log.record(outage.over(&self.metrics));
            }
            (Err(_), Some(_)) | (Ok(_), None) => {}
        }
    }

    async fn bounded_status(&self) -> Result<Duration, Error> {
        time::timeout(PROBE_INTERVAL, self.store.status())
            .await
            .unwrap_or_else(|elapsed| Err(Error::unreachable(elapsed)))
    }
}

/// Does something every `period`, never if that is zero.
async fn every(period: Duration, mut action: impl FnMut()) {
    if period.is_zero() {
        return future::pending().await;
    }
    let mut ticks = ticks(period);
    loop {
        ticks.tick().await;
        action();
    }
}

/// Ticks every `period`, for the first time after one.
fn ticks(period: Duration) -> Interval {
    let mut ticks = time::interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}
