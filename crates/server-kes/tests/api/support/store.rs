use std::future;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use keystead_keystore::{Error, KeyStore, MemoryStore};
use zeroize::Zeroizing;

/// What a [`FaultStore`] does with the calls it gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Health {
    Good,
    Unreachable,
    Failing,
    Hanging,
}

/// A key store in memory that can be made to fail.
pub(crate) struct FaultStore {
    keys: MemoryStore,
    health: Mutex<Health>,
    reads: AtomicUsize,
    closed: AtomicBool,
}

impl Default for FaultStore {
    fn default() -> Self {
        Self {
            keys: MemoryStore::new(),
            health: Mutex::new(Health::Good),
            reads: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        }
    }
}

impl FaultStore {
    pub(crate) fn turn(&self, health: Health) {
        *self.health.lock().unwrap() = health;
    }

    /// How often a key was asked for.
    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    async fn check(&self) -> Result<(), Error> {
        let health = *self.health.lock().unwrap();
        match health {
            Health::Good => Ok(()),
            Health::Unreachable => Err(Error::unreachable("the cable is cut")),
            Health::Failing => Err(Error::failed("the disk is on fire")),
            Health::Hanging => future::pending().await,
        }
    }
}

#[async_trait]
impl KeyStore for FaultStore {
    fn description(&self) -> String {
        "Faults".to_owned()
    }

    async fn status(&self) -> Result<Duration, Error> {
        self.check().await?;
        self.keys.status().await
    }

    async fn create(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        self.check().await?;
        self.keys.create(name, value).await
    }

    async fn get(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.check().await?;
        self.keys.get(name).await
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        self.check().await?;
        self.keys.delete(name).await
    }

    async fn list(&self, prefix: &str, start: &str, limit: usize) -> Result<Vec<String>, Error> {
        self.check().await?;
        self.keys.list(prefix, start, limit).await
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }
}
