use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::{Error, KeyStore};

/// Keys in memory, gone when the process ends. For development mode and tests.
#[derive(Default)]
pub struct MemoryStore {
    keys: RwLock<Keys>,
}

type Keys = BTreeMap<String, Zeroizing<Vec<u8>>>;

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    // No operation can panic halfway through a change, so a poisoned lock
    // still guards consistent keys.
    fn read(&self) -> RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Keys> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl KeyStore for MemoryStore {
    fn description(&self) -> String {
        "In Memory".to_owned()
    }

    async fn status(&self) -> Result<Duration, Error> {
        Ok(Duration::from_millis(1))
    }

    async fn create(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        match self.write().entry(name.to_owned()) {
            Entry::Occupied(_) => Err(Error::KeyExists),
            Entry::Vacant(entry) => {
                entry.insert(Zeroizing::new(value.to_vec()));
                Ok(())
            }
        }
    }

    async fn get(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.read().get(name).cloned().ok_or(Error::KeyNotFound)
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        self.write()
            .remove(name)
            .map_or(Err(Error::KeyNotFound), |_| Ok(()))
    }

    async fn list(&self, prefix: &str, start: &str, limit: usize) -> Result<Vec<String>, Error> {
        let first = prefix.max(start);
        Ok(self
            .read()
            .range::<str, _>((Bound::Included(first), Bound::Unbounded))
            .map(|(name, _)| name)
            .take_while(|name| name.starts_with(prefix))
            .take(limit)
            .cloned()
            .collect())
    }

    async fn close(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn meets_the_contract() {
        crate::contract::check(async || MemoryStore::new()).await;
    }

    #[tokio::test]
    async fn status_calls_leave_nothing_behind() {
        crate::contract::stays_flat(&MemoryStore::new()).await;
    }
}
