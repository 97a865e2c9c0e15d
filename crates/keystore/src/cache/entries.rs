use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keystead_crypto::StoredKey;
use papaya::{Guard, HashMap};

/// The cached keys. Reading takes no lock.
///
/// The map frees what it removes in batches, when it is convenient. A key that
/// has left the cache must not linger in memory, so every removal is flushed.
#[derive(Default)]
pub(super) struct Entries(HashMap<Box<str>, Entry>);

struct Entry {
    key: Arc<StoredKey>,
    /// Whether anybody asked for the key since the last sweep.
    used: AtomicBool,
}

impl Entries {
    /// The key of a name, marked as used.
    pub(super) fn lookup(&self, name: &str) -> Option<Arc<StoredKey>> {
        let entries = self.0.pin();
        let entry = entries.get(name)?;
        // Writing only when it changes something keeps the cache line shared
        // between the processors that use one key.
        if !entry.used.load(Ordering::Relaxed) {
            entry.used.store(true, Ordering::Relaxed);
        }
        Some(Arc::clone(&entry.key))
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.pin().contains_key(name)
    }

    pub(super) fn insert(&self, name: &str, key: Arc<StoredKey>) {
        let guard = self.0.guard();
        let used = AtomicBool::new(true);
        self.0.insert(name.into(), Entry { key, used }, &guard);
        guard.flush();
    }

    pub(super) fn remove(&self, name: &str) {
        let guard = self.0.guard();
        self.0.remove(name, &guard);
        guard.flush();
    }

    pub(super) fn clear(&self) {
        let guard = self.0.guard();
        self.0.clear(&guard);
        guard.flush();
    }

    /// Keeps what was used since the last call, and clears the marks.
    pub(super) fn retain_used(&self) {
        let guard = self.0.guard();
        self.0
            .retain(|_, entry| entry.used.swap(false, Ordering::Relaxed), &guard);
        guard.flush();
    }
}
