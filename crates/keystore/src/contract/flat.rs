use std::fs;

use keystead_observe::ProcessFigures;

use super::succeeds;
use crate::KeyStore;

/// Status calls that must leave nothing behind.
const POLLS: usize = 10_000;

/// Status calls before anything is measured. They open the connections that are
/// kept, start the threads, and fill the journal of a double in this process.
const WARM_UP: usize = 2_000;

/// Status calls under way at once.
const AT_ONCE: usize = 4;

/// How often the measurement is repeated. What a leak adds it adds every time; a
/// connection that was replaced or a page that the allocator took, only once.
const ROUNDS: usize = 3;

/// Descriptors that may be more: a connection for each call under way and one for
/// work in the background, with both ends if the server is a double in this process.
/// A leak of one descriptor in a thousand calls is as much.
const DESCRIPTORS: usize = 2 * (AT_ONCE + 1);

/// Memory in bytes that may be more, about 100 per call. The least that a call could
/// leave behind, an error, an answer or a task, is larger.
const MEMORY: u64 = 1 << 20;

/// Checks that 10,000 status calls leave the descriptors and the memory of the
/// process as they were. Nothing else may be going on in the process, so the test
/// that calls it needs one of its own, as `cargo nextest` gives it.
///
/// # Panics
///
/// If a call fails, and if there is more of something after each of three times
/// 10,000 calls.
pub async fn stays_flat(store: &(impl KeyStore + ?Sized)) {
    poll(store, WARM_UP).await;
    let mut growths = Vec::new();
    for _ in 0..ROUNDS {
        let before = Holdings::read();
        poll(store, POLLS).await;
        let growth = Holdings::read().beyond(&before);
        if growth.is_tolerable() {
            return;
        }
        growths.push(growth);
    }
    panic!("{POLLS} status calls leave something behind, every time: {growths:?}");
}

async fn poll(store: &(impl KeyStore + ?Sized), times: usize) {
    let some = async || {
        for _ in 0..times / AT_ONCE {
            succeeds(store.status().await, "status");
        }
    };
    tokio::join!(some(), some(), some(), some());
}

/// What the process holds, or how much more that is.
#[derive(Debug)]
struct Holdings {
    descriptors: usize,
    /// Resident anonymous memory in bytes.
    memory: u64,
}

// === impl Holdings ===

impl Holdings {
    fn read() -> Self {
        let memory = ProcessFigures::read().heap_bytes;
        let descriptors = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        assert!(memory > 0 && descriptors > 0, "no /proc/self");
        Self {
            descriptors,
            memory,
        }
    }

    fn beyond(&self, before: &Self) -> Self {
        Self {
            descriptors: self.descriptors.saturating_sub(before.descriptors),
            memory: self.memory.saturating_sub(before.memory),
        }
    }

    fn is_tolerable(&self) -> bool {
        self.descriptors <= DESCRIPTORS && self.memory <= MEMORY
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::Mutex;
    use std::time::Duration;

    use async_trait::async_trait;
    use zeroize::Zeroizing;

    use super::*;
    use crate::{Error, MemoryStore};

    /// Each status call leaves something behind.
    struct Leaking<T>(fn(usize) -> Option<T>, Mutex<(usize, Vec<Option<T>>)>);

    impl<T> Leaking<T> {
        fn new(leak: fn(usize) -> Option<T>) -> Self {
            Self(leak, Mutex::new((0, Vec::with_capacity(1 << 16))))
        }
    }

    #[async_trait]
    impl<T: Send + 'static> KeyStore for Leaking<T> {
        fn description(&self) -> String {
            MemoryStore::new().description()
        }

        async fn status(&self) -> Result<Duration, Error> {
            let mut left = self.1.lock().unwrap();
            left.0 += 1;
            let more = self.0(left.0);
            left.1.extend(more.map(Some));
            Ok(Duration::ZERO)
        }

        async fn create(&self, name: &str, value: &[u8]) -> Result<(), Error> {
            MemoryStore::new().create(name, value).await
        }

        async fn get(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
            MemoryStore::new().get(name).await
        }

        async fn delete(&self, name: &str) -> Result<(), Error> {
            MemoryStore::new().delete(name).await
        }

        async fn list(&self, _: &str, _: &str, _: usize) -> Result<Vec<String>, Error> {
            Ok(Vec::new())
        }

        async fn close(&self) {}
    }

    #[tokio::test]
    #[should_panic(expected = "leave something behind")]
    async fn a_descriptor_in_five_hundred_calls_is_seen() {
        let leak = |number: usize| number.is_multiple_of(500).then(|| File::open("/dev/null"));
        stays_flat(&Leaking::new(leak)).await;
    }

    #[tokio::test]
    #[should_panic(expected = "leave something behind")]
    async fn a_short_text_per_call_is_seen() {
        stays_flat(&Leaking::new(|_| Some(vec![1_u8; 150]))).await;
    }
}
