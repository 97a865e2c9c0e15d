use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// Lets callers that are concerned with one name go one after another, in the
/// order in which they came. Different names do not wait for each other.
#[derive(Default)]
pub(crate) struct Turns(Mutex<Queues>);

type Queues = HashMap<Box<str>, Queue>;

#[derive(Default)]
struct Queue {
    lock: Arc<tokio::sync::Mutex<()>>,
    /// Callers that wait for the lock or hold it.
    callers: usize,
}

/// The right to act on a name, until it is dropped.
pub(crate) struct Turn<'a> {
    // Released before the place is given up, which may remove the queue.
    _lock: OwnedMutexGuard<()>,
    _place: Place<'a>,
}

/// A place in the queue of a name. It is given up on drop, so that a cancelled
/// caller leaves nothing behind.
struct Place<'a> {
    turns: &'a Turns,
    name: &'a str,
}

impl Turns {
    /// Waits for the turn on a name.
    pub(crate) async fn take<'a>(&'a self, name: &'a str) -> Turn<'a> {
        let (place, lock) = self.queue_up(name);
        Turn {
            _lock: lock.lock_owned().await,
            _place: place,
        }
    }

    fn queue_up<'a>(&'a self, name: &'a str) -> (Place<'a>, Arc<tokio::sync::Mutex<()>>) {
        let mut queues = self.queues();
        let queue = queues.entry(name.into()).or_default();
        queue.callers = queue.callers.saturating_add(1);
        (Place { turns: self, name }, Arc::clone(&queue.lock))
    }

    // Nothing panics while the lock is held.
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut queues = self.turns.queues();
        if let Some(queue) = queues.get_mut(self.name) {
            queue.callers = queue.callers.saturating_sub(1);
            if queue.callers == 0 {
                queues.remove(self.name);
            }
        }
    }
}

#[cfg(test)]
impl Turns {
    pub(super) fn is_empty(&self) -> bool {
        self.queues().is_empty()
    }
}
