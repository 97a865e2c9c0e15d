use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keystead_keystore::{Error, KeyStore, all_names};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::failure::reason;

/// How long a key store may be away, from the first failed call on.
pub(super) const PATIENCE: Duration = Duration::from_mins(2);

/// The pause after the first failed call; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);

/// Takes what a person should know while a migration runs.
pub(super) type Notes = dyn Fn(&str) + Send + Sync;

/// A key store that is asked again for a while when it is not reachable.
///
/// What it does beyond that, such as repeating a request within seconds, is left to the
/// store's own client.
pub(super) struct Patient {
    /// `source` or `target`.
    name: &'static str,
    store: Arc<dyn KeyStore>,
    /// Nobody waits for the store any more.
    halt: CancellationToken,
    notes: Arc<Notes>,
    is_away: AtomicBool,
}

/// How much more patience there is with a call.
struct Patience {
    end: Instant,
    next: Duration,
}

// === impl Patient ===

impl Patient {
    pub(super) fn new(
        name: &'static str,
        store: Arc<dyn KeyStore>,
        halt: CancellationToken,
        notes: Arc<Notes>,
    ) -> Self {
        Self {
            name,
            store,
            halt,
            notes,
            is_away: AtomicBool::new(false),
        }
    }

    pub(super) async fn get(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.ask(&self.halt, || self.store.get(name)).await
    }

    /// The value of a key, if there is one.
    pub(super) async fn find(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        match self.get(name).await {
            Ok(value) => Ok(Some(value)),
            Err(Error::KeyNotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn create(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        self.ask(&self.halt, || self.store.create(name, value))
            .await
    }

    /// Removes a key, whether it is there or not.
    pub(super) async fn delete(&self, name: &str) -> Result<(), Error> {
        match self.ask(&self.halt, || self.store.delete(name)).await {
            Err(Error::KeyNotFound) => Ok(()),
            result => result,
        }
    }

    /// Creates a key that was deleted a moment ago, for which it is never too late to
    /// wait. Some stores need time before they give the name away again.
    pub(super) async fn create_again(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        let never = CancellationToken::new();
        let mut patience = Patience::new();
        loop {
            let created = self.ask(&never, || self.store.create(name, value)).await;
            if !matches!(created, Err(Error::KeyExists)) {
                return created;
            }
            match self.ask(&never, || self.store.get(name)).await {
                // The attempt whose answer got lost has created it.
                Ok(there) if *there == value => return Ok(()),
                Err(Error::KeyNotFound) => {}
                Ok(_) => return created,
                Err(error) => return Err(error),
            }
            if !patience.wait(&never).await {
                return created;
            }
        }
    }

    /// Every name in the key store, ascending.
    pub(super) async fn names(&self) -> Result<Vec<String>, Error> {
        self.ask(&self.halt, || all_names(&*self.store, "")).await
    }

    /// Makes a call, and again while the store is away, until somebody halts it.
    pub(super) async fn try_again<T, F>(&self, call: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.ask(&self.halt, call).await
    }

    /// As [`try_again`](Self::try_again), but nobody halts it: something is half done.
    pub(super) async fn insist<T, F>(&self, call: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.ask(&CancellationToken::new(), call).await
    }

    async fn ask<T, F>(&self, halt: &CancellationToken, call: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut patience = None;
        loop {
            let error = match call().await {
                Err(error @ Error::Unreachable(_)) => error,
                result => {
                    self.is_away.store(false, Ordering::Relaxed);
                    return result;
                }
            };
            if !self.is_away.swap(true, Ordering::Relaxed) {
                (self.notes)(&format!(
                    "The {} is away: {}. Trying again for {} seconds.\n",
                    self.name,
                    reason(&error),
                    PATIENCE.as_secs()
                ));
            }
            let patience = patience.get_or_insert_with(Patience::new);
            if !patience.wait(halt).await {
                return Err(error);
            }
        }
    }
}

// === impl Patience ===

impl Patience {
    fn new() -> Self {
        Self {
            end: Instant::now() + PATIENCE,
            next: FIRST_PAUSE,
        }
    }

    /// Makes the next pause; says whether it is worth another try.
    async fn wait(&mut self, halt: &CancellationToken) -> bool {
        if Instant::now() + self.next > self.end {
            return false;
        }
        tokio::select! {
            () = sleep(self.next) => {}
            () = halt.cancelled() => return false,
        }
        self.next = LONGEST_PAUSE.min(self.next * 2);
        true
    }
}
