use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

use async_trait::async_trait;
use jiff::Timestamp;
use keystead_crypto::{Cipher, SystemRandom};
use keystead_observe::{Level, Received};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use super::*;
use crate::MemoryStore;

/// A key store in memory that counts, waits and fails as a test wants it.
struct Double {
    keys: MemoryStore,
    reads: AtomicUsize,
    probes: AtomicUsize,
    /// Reads wait for a permit, after they have got their value.
    read_permits: Semaphore,
    reading: Notify,
    down: AtomicBool,
    /// Status calls that fail before `down` counts.
    failing_probes: AtomicUsize,
    /// Status calls are never answered.
    hanging: AtomicBool,
}

impl Double {
    fn fails_when_down(&self) -> Result<(), Error> {
        if self.down.load(Ordering::Relaxed) {
            return Err(Error::unreachable("connection refused"));
        }
        Ok(())
    }
}

#[async_trait]
impl KeyStore for Double {
    fn description(&self) -> String {
        "Double".to_owned()
    }

    async fn status(&self) -> Result<Duration, Error> {
        self.probes.fetch_add(1, Ordering::Relaxed);
        if self.hanging.load(Ordering::Relaxed) {
            future::pending::<()>().await;
        }
        let failing = |count: usize| count.checked_sub(1);
        if self
            .failing_probes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, failing)
            .is_ok()
        {
            return Err(Error::failed("connection reset"));
        }
        self.fails_when_down()?;
        Ok(Duration::from_millis(3))
    }

    async fn create(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        self.fails_when_down()?;
        self.keys.create(name, value).await
    }

    async fn get(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let value = self.keys.get(name).await;
        self.reading.notify_one();
        self.read_permits.acquire().await.unwrap().forget();
        self.fails_when_down()?;
        value
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        self.fails_when_down()?;
        self.keys.delete(name).await
    }

    async fn list(&self, prefix: &str, start: &str, limit: usize) -> Result<Vec<String>, Error> {
        self.fails_when_down()?;
        self.keys.list(prefix, start, limit).await
    }

    async fn close(&self) {}
}

/// What the log takes for the time.
const LOG_TIME: Timestamp = Timestamp::constant(1_790_000_000, 123_456_789);

/// A cache with its double.
struct Fixture {
    cache: Arc<Cache>,
    store: Arc<Double>,
    metrics: Arc<Metrics>,
    log: Arc<ErrorLog>,
}

impl Fixture {
    fn new() -> Self {
        Self::with(CacheSettings::default())
    }

    fn with(settings: CacheSettings) -> Self {
        let store = Arc::new(Double {
            keys: MemoryStore::new(),
            reads: AtomicUsize::new(0),
            probes: AtomicUsize::new(0),
            read_permits: Semaphore::new(1000),
            reading: Notify::new(),
            down: AtomicBool::new(false),
            failing_probes: AtomicUsize::new(0),
            hanging: AtomicBool::new(false),
        });
        let metrics = Arc::new(Metrics::new().unwrap());
        let clock = || LOG_TIME;
        let log = ErrorLog::new(Level::OFF, io::sink(), clock, &metrics).unwrap();
        Self {
            cache: Arc::new(Cache::new(store.clone(), settings, metrics.clone())),
            store,
            metrics,
            log: Arc::new(log),
        }
    }

    /// Runs the timers from now on.
    async fn started(self) -> Self {
        let (cache, log) = (self.cache.clone(), self.log.clone());
        tokio::spawn(async move { cache.run(&log, future::pending()).await });
        tokio::task::yield_now().await;
        self
    }

    /// Creates keys behind the back of the cache.
    async fn add(&self, names: &[&str]) {
        for name in names {
            self.store
                .keys
                .create(name, key().encode().as_bytes())
                .await
                .unwrap();
        }
    }

    async fn cached(&self, name: &str) {
        self.add(&[name]).await;
        self.cache.fetch(name).await.unwrap();
    }

    fn reads(&self) -> usize {
        self.store.reads.load(Ordering::Relaxed)
    }

    fn set_down(&self, down: bool) {
        self.store.down.store(down, Ordering::Relaxed);
    }

    /// Lets reads wait from now on.
    fn hold_reads(&self) {
        self.store.read_permits.forget_permits(usize::MAX);
    }

    fn is_cached(&self, name: &str) -> bool {
        self.cache.is_cached(name)
    }

    /// Whether the metrics have this line.
    fn shows(&self, line: &str) -> bool {
        let metrics = self.metrics.encode().unwrap();
        metrics.lines().any(|other| other == line)
    }
}

fn key() -> StoredKey {
    StoredKey::generate(Cipher::Aes256, &SystemRandom, Timestamp::UNIX_EPOCH, "me").unwrap()
}

fn settings(any: u64, unused: u64, offline: u64) -> CacheSettings {
    let seconds = Duration::from_secs;
    CacheSettings::new(seconds(any), seconds(unused), seconds(offline))
}

/// Moves the clock to `seconds` after the start of the test, and a little more,
/// so that what is due then has happened.
async fn at(start: Instant, seconds: u64) {
    time::sleep_until(start + Duration::from_secs(seconds) + Duration::from_millis(2)).await;
}

async fn is_pending(future: impl Future) -> bool {
    let mut future = pin!(future);
    future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

#[test]
fn zero_means_the_documented_defaults() {
    let defaults = CacheSettings::default();
    assert_eq!(defaults, settings(300, 30, 0));
    assert_eq!(defaults, settings(0, 0, 0));
    assert_eq!(settings(1, 2, 3).any(), Duration::from_secs(1));
}

#[tokio::test]
async fn a_fetched_key_is_found_until_the_store_is_not_asked_again() {
    let test = Fixture::new();
    test.add(&["key"]).await;
    assert!(test.cache.lookup("key").is_none());
    let fetched = test.cache.fetch("key").await.unwrap();
    assert!(Arc::ptr_eq(&fetched, &test.cache.lookup("key").unwrap()));
    assert!(Arc::ptr_eq(
        &fetched,
        &test.cache.fetch("key").await.unwrap()
    ));
    assert_eq!(test.reads(), 1);
    let metrics = test.metrics.encode().unwrap();
    assert!(metrics.contains("\nkeystead_cache_hits_total 1\n"));
    assert!(metrics.contains("\nkeystead_cache_misses_total 1\n"));
}

#[tokio::test]
async fn concurrent_misses_of_one_name_read_once() {
    let test = Fixture::new();
    test.add(&["key"]).await;
    test.hold_reads();
    let mut fetches = JoinSet::new();
    for _ in 0..100 {
        let cache = test.cache.clone();
        fetches.spawn(async move { cache.fetch("key").await.map(|key| key.id()) });
    }
    test.store.reading.notified().await;
    test.store.read_permits.add_permits(1);
    let ids = fetches.join_all().await;
    assert!(
        ids.iter()
            .all(|id| id.as_ref().unwrap() == ids[0].as_ref().unwrap())
    );
    assert_eq!(test.reads(), 1);
    assert!(test.cache.turns.is_empty());
}

#[tokio::test]
async fn different_names_do_not_wait_for_each_other() {
    let test = Fixture::new();
    test.add(&["a", "b"]).await;
    test.hold_reads();
    let mut a = pin!(test.cache.fetch("a"));
    let mut b = pin!(test.cache.fetch("b"));
    assert!(is_pending(a.as_mut()).await);
    assert!(is_pending(b.as_mut()).await);
    assert_eq!(test.reads(), 2);
}

#[tokio::test]
async fn waiters_do_not_share_an_error() {
    let test = Fixture::new();
    test.add(&["key"]).await;
    test.hold_reads();
    test.set_down(true);
    let mut first = pin!(test.cache.fetch("key"));
    let mut second = pin!(test.cache.fetch("key"));
    assert!(is_pending(first.as_mut()).await);
    assert!(is_pending(second.as_mut()).await);
    assert_eq!(test.reads(), 1);
    test.store.read_permits.add_permits(1);
    assert!(matches!(first.await, Err(Error::Unreachable(_))));
    test.set_down(false);
    test.store.read_permits.add_permits(1);
    second.await.unwrap();
    assert_eq!(test.reads(), 2);
}

#[tokio::test]
async fn a_cancelled_fetch_hands_over_to_the_next() {
    let test = Fixture::new();
    test.add(&["key"]).await;
    test.hold_reads();
    let mut second = pin!(test.cache.fetch("key"));
    {
        let mut first = pin!(test.cache.fetch("key"));
        assert!(is_pending(first.as_mut()).await);
        let mut cancelled_waiter = pin!(test.cache.fetch("key"));
        assert!(is_pending(cancelled_waiter.as_mut()).await);
        assert!(is_pending(second.as_mut()).await);
    }
    test.store.read_permits.add_permits(1);
    second.await.unwrap();
    assert_eq!(test.reads(), 2);
    assert!(test.cache.turns.is_empty());
}

#[tokio::test]
async fn nothing_negative_is_kept() {
    let test = Fixture::new();
    assert!(matches!(
        test.cache.fetch("key").await,
        Err(Error::KeyNotFound)
    ));
    test.add(&["key"]).await;
    test.cache.fetch("key").await.unwrap();
}

#[tokio::test]
async fn a_value_that_is_no_key_is_a_failure_and_not_kept() {
    let test = Fixture::new();
    test.store.keys.create("key", b"%").await.unwrap();
    assert!(matches!(
        test.cache.fetch("key").await,
        Err(Error::Failed(_))
    ));
    assert!(!test.is_cached("key"));
}

#[tokio::test]
async fn create_stores_but_does_not_cache() {
    let test = Fixture::new();
    let key = key();
    test.cache.create("key", &key).await.unwrap();
    assert!(!test.is_cached("key"));
    assert_eq!(test.cache.fetch("key").await.unwrap().id(), key.id());
    assert!(matches!(
        test.cache.create("key", &key).await,
        Err(Error::KeyExists)
    ));
}

#[tokio::test]
async fn create_replaces_a_key_that_another_server_deleted() {
    let test = Fixture::new();
    test.cached("key").await;
    test.store.keys.delete("key").await.unwrap();
    let key = key();
    test.cache.create("key", &key).await.unwrap();
    assert!(test.cache.lookup("key").is_none());
    assert_eq!(test.cache.fetch("key").await.unwrap().id(), key.id());
}

#[tokio::test]
async fn create_of_a_cached_key_during_an_outage_says_that_it_exists() {
    let test = Fixture::new();
    test.cached("cached").await;
    test.set_down(true);
    let result = test.cache.create("cached", &key()).await;
    assert!(matches!(result, Err(Error::KeyExists)));
    let result = test.cache.create("other", &key()).await;
    assert!(matches!(result, Err(Error::Unreachable(_))));
}

#[tokio::test]
async fn delete_removes_only_after_the_store_did() {
    let test = Fixture::new();
    test.cached("key").await;
    test.set_down(true);
    assert!(matches!(
        test.cache.delete("key").await,
        Err(Error::Unreachable(_))
    ));
    assert!(test.is_cached("key"));
    test.set_down(false);
    test.cache.delete("key").await.unwrap();
    assert!(!test.is_cached("key"));
    assert!(matches!(
        test.cache.delete("key").await,
        Err(Error::KeyNotFound)
    ));
}

#[tokio::test]
async fn delete_forgets_a_key_that_another_server_deleted() {
    let test = Fixture::new();
    test.cached("key").await;
    test.store.keys.delete("key").await.unwrap();
    assert!(matches!(
        test.cache.delete("key").await,
        Err(Error::KeyNotFound)
    ));
    assert!(!test.is_cached("key"));
}

#[tokio::test]
async fn a_fetch_that_races_with_a_delete_does_not_bring_the_key_back() {
    let test = Fixture::new();
    test.add(&["key"]).await;
    test.hold_reads();
    let mut fetch = pin!(test.cache.fetch("key"));
    assert!(is_pending(fetch.as_mut()).await);
    let mut delete = pin!(test.cache.delete("key"));
    assert!(is_pending(delete.as_mut()).await);
    test.store.read_permits.add_permits(1);
    let (fetched, deleted) = tokio::join!(fetch, delete);
    fetched.unwrap();
    deleted.unwrap();
    assert!(!test.is_cached("key"));
}

#[tokio::test]
async fn a_removed_key_leaves_the_memory_at_once() {
    let test = Fixture::new();
    for removal in ["any", "unused", "delete"] {
        test.add(&[removal]).await;
        let key = Arc::downgrade(&test.cache.fetch(removal).await.unwrap());
        match removal {
            "any" => test.cache.sweep_any(),
            "unused" => (0..2).for_each(|_| test.cache.sweep_unused()),
            _ => test.cache.delete(removal).await.unwrap(),
        }
        assert!(key.upgrade().is_none(), "{removal}");
    }
}

#[tokio::test(start_paused = true)]
async fn any_empties_the_whole_cache_at_fixed_times() {
    let test = Fixture::with(settings(100, 1000, 0)).started().await;
    let start = Instant::now();
    test.cached("old").await;
    at(start, 99).await;
    test.cached("new").await;
    assert!(test.is_cached("old"));
    at(start, 100).await;
    assert!(!test.is_cached("old") && !test.is_cached("new"));
    test.cache.fetch("old").await.unwrap();
    at(start, 199).await;
    assert!(test.is_cached("old"));
    at(start, 200).await;
    assert!(!test.is_cached("old"));
}

#[tokio::test(start_paused = true)]
async fn unused_removes_what_nobody_asked_for_between_two_ticks() {
    let test = Fixture::new().started().await; // ticks every 15 s
    let start = Instant::now();
    test.cached("used").await;
    test.cached("idle").await;
    at(start, 15).await;
    assert!(test.is_cached("idle")); // fetching it was a use
    at(start, 29).await;
    test.cache.lookup("used").unwrap();
    at(start, 30).await;
    assert!(test.is_cached("used") && !test.is_cached("idle"));
    at(start, 44).await;
    assert!(test.is_cached("used")); // asking whether it is cached is no use
    at(start, 45).await;
    assert!(!test.is_cached("used"));
}

#[tokio::test(start_paused = true)]
async fn without_offline_an_outage_changes_nothing() {
    let test = Fixture::new().started().await;
    let start = Instant::now();
    test.cached("key").await;
    test.set_down(true);
    at(start, 10).await;
    assert!(test.cache.is_offline());
    at(start, 30).await;
    assert!(!test.is_cached("key"));
}

#[tokio::test(start_paused = true)]
async fn with_offline_keys_outlive_any_and_unused_until_its_tick() {
    let test = Fixture::with(settings(40, 20, 100)).started().await;
    let start = Instant::now();
    test.set_down(true);
    at(start, 10).await; // offline before anything is due
    test.set_down(false);
    test.cached("key").await;
    test.set_down(true);
    at(start, 99).await;
    assert!(test.is_cached("key"));
    at(start, 100).await;
    assert!(!test.is_cached("key"));
}

#[tokio::test(start_paused = true)]
async fn the_offline_tick_spares_an_online_cache_and_sweeps_resume() {
    let test = Fixture::with(settings(1000, 100, 15)).started().await;
    let start = Instant::now();
    test.cached("key").await;
    at(start, 15).await;
    assert!(test.is_cached("key"));
    at(start, 100).await;
    assert!(!test.is_cached("key"));
}

#[tokio::test(start_paused = true)]
async fn probes_find_out_about_outage_and_recovery() {
    let test = Fixture::new().started().await;
    let start = Instant::now();
    assert!(test.shows("keystead_keystore_up 1"));
    assert!(test.shows("keystead_keystore_offline_since_timestamp_seconds 0"));
    assert_eq!(test.cache.offline_since(), None);
    test.set_down(true);
    at(start, 9).await;
    assert!(!test.cache.is_offline());
    at(start, 10).await;
    assert_eq!(test.store.probes.load(Ordering::Relaxed), 2); // asked again at once
    assert_eq!(test.cache.offline_for(), Some(Duration::from_millis(2)));
    assert_eq!(test.cache.offline_since(), Some(LOG_TIME));
    let refused = test.cache.status().await;
    assert!(matches!(refused, Err(Error::Unreachable(_))));
    assert_eq!(test.store.probes.load(Ordering::Relaxed), 2); // not asked by status
    assert!(test.shows("keystead_keystore_up 0"));
    assert!(test.shows("keystead_keystore_offline_since_timestamp_seconds 1790000000"));
    at(start, 35).await;
    test.set_down(false);
    assert_eq!(
        test.cache.offline_for(),
        Some(Duration::from_secs(25) + Duration::from_millis(2))
    );
    at(start, 40).await;
    assert_eq!(test.cache.offline_for(), None);
    assert_eq!(test.cache.offline_since(), None);
    assert_eq!(test.cache.status().await.unwrap(), Duration::from_millis(3));
    assert!(test.shows("keystead_keystore_up 1"));
    assert!(test.shows("keystead_keystore_offline_since_timestamp_seconds 0"));
    assert!(test.shows("keystead_keystore_latency_seconds 0.003"));
}

/// One line when it begins and one when it is over, whatever goes on between.
#[tokio::test(start_paused = true)]
async fn an_outage_has_two_lines_in_the_log() {
    let test = Fixture::with(settings(1000, 1000, 1000)).started().await;
    let mut events = test.log.subscribe();
    let start = Instant::now();
    test.cached("key").await;
    let lookups = |count: usize| (0..count).filter_map(|_| test.cache.lookup("key")).count();
    assert_eq!(lookups(5), 5); // before the outage
    test.set_down(true);
    at(start, 10).await;
    for second in [19, 29, 39] {
        assert_eq!(lookups(4), 4);
        assert!(test.cache.lookup("other").is_none());
        let other = test.cache.fetch("other").await;
        assert!(matches!(other, Err(Error::Unreachable(_))));
        let create = test.cache.create("key", &key()).await;
        assert!(matches!(create, Err(Error::KeyExists)));
        at(start, second).await;
    }
    test.set_down(false);
    at(start, 40).await;
    assert_eq!(lookups(5), 5); // after the outage
    test.set_down(true);
    at(start, 50).await;
    for expected in [
        r#"level=ERROR msg=\"key store is offline, serving from cache\" since=2026-09-21T14:13:20Z err=\"key store is not reachable: connection refused\"#,
        r#"level=WARN msg=\"key store is online again\" offline=30"#,
        r#"level=ERROR msg=\"key store is offline, serving from cache\""#,
    ] {
        let Some(Received::Line(line)) = events.next().await else {
            panic!("no event");
        };
        let line = String::from_utf8_lossy(&line);
        assert!(line.contains(expected), "{line}");
        if expected.contains("again") {
            assert!(line.contains(" served_from_cache=12\""), "{line}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_failed_probe_is_not_an_outage() {
    let test = Fixture::new().started().await;
    let start = Instant::now();
    test.store.failing_probes.store(1, Ordering::Relaxed);
    at(start, 10).await;
    assert_eq!(test.store.probes.load(Ordering::Relaxed), 2);
    assert!(!test.cache.is_offline());
    test.store.failing_probes.store(2, Ordering::Relaxed);
    at(start, 20).await;
    assert!(test.cache.is_offline());
}

#[tokio::test(start_paused = true)]
async fn a_silent_key_store_is_an_outage_and_stops_no_other_timer() {
    let test = Fixture::new().started().await;
    let start = Instant::now();
    test.cached("key").await;
    test.store.hanging.store(true, Ordering::Relaxed);
    at(start, 29).await;
    assert!(test.is_cached("key") && !test.cache.is_offline());
    at(start, 30).await;
    assert!(!test.is_cached("key") && test.cache.is_offline());
}

#[tokio::test(start_paused = true)]
async fn run_ends_when_told() {
    let test = Fixture::new();
    let start = Instant::now();
    let shutdown = time::sleep(Duration::from_secs(25));
    test.cache.run(&test.log, shutdown).await;
    assert_eq!(start.elapsed(), Duration::from_secs(25));
    assert_eq!(test.store.probes.load(Ordering::Relaxed), 2);
}

/// Whatever interleaves, the cache never knows a key that the store does not
/// have, nor an earlier key of the same name.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cache_and_store_agree_after_everything_at_once() {
    const NAMES: [&str; 3] = ["a", "b", "c"];
    let test = Fixture::new();
    test.store.read_permits.add_permits(100_000);
    let mut tasks = JoinSet::new();
    for task in 0..8_usize {
        let cache = test.cache.clone();
        tasks.spawn(async move {
            for step in 0..300_usize {
                let name = NAMES[(task + step) % NAMES.len()];
                match (task * 7 + step * 5) % 9 {
                    0 | 1 => drop(cache.create(name, &key()).await),
                    2 => drop(cache.delete(name).await),
                    3 => cache.sweep_unused(),
                    4 => cache.sweep_any(),
                    _ if cache.lookup(name).is_none() => drop(cache.fetch(name).await),
                    _ => {}
                }
            }
        });
    }
    tasks.join_all().await;
    assert!(test.cache.turns.is_empty());
    for name in NAMES {
        if let Some(cached) = test.cache.lookup(name) {
            let stored = test.store.keys.get(name).await.unwrap();
            assert_eq!(cached.id(), StoredKey::decode(&stored).unwrap().id());
        }
    }
}
