use std::collections::VecDeque;
use std::panic::Location;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use keystead_config::Level;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Records that are kept for those who ask for the past. With the usual few hundred
/// bytes each the history holds about a megabyte.
const KEPT: usize = 4096;

/// Records a subscriber may be behind before it loses the oldest.
const BACKLOG: usize = 1024;

/// One record of the error log as live streams carry it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// How bad it is.
    pub level: Level,
    /// When it happened.
    pub time: Timestamp,
    /// The message, followed by its attributes as `key=value` pairs.
    pub message: String,
    /// Where in the source it was recorded.
    pub location: &'static Location<'static>,
}

/// The last records of an error log, and those who wait for the next ones.
pub(crate) struct History {
    shared: Arc<Shared>,
    sender: broadcast::Sender<Arc<LogEntry>>,
}

struct Shared {
    /// The least level that anybody listens to or that is kept.
    level: AtomicI32,
    ring: Mutex<Ring>,
}

#[derive(Default)]
struct Ring {
    entries: VecDeque<Arc<LogEntry>>,
    /// The levels of the subscribers.
    listening: Vec<Level>,
}

/// A stream of log records: those of the past that were asked for, then every new one.
pub struct LogSubscription {
    level: Level,
    past: VecDeque<Arc<LogEntry>>,
    receiver: broadcast::Receiver<Arc<LogEntry>>,
    shared: Arc<Shared>,
}

// === impl History ===

impl History {
    pub(crate) fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                level: AtomicI32::new(Level::INFO.value()),
                ring: Mutex::default(),
            }),
            sender: broadcast::Sender::new(BACKLOG),
        }
    }

    /// Whether a record of this level would be kept or heard.
    pub(crate) fn wants(&self, level: Level) -> bool {
        level.value() >= self.shared.level.load(Ordering::Relaxed)
    }

    pub(crate) fn record(&self, entry: LogEntry) {
        let entry = Arc::new(entry);
        // The lock keeps a subscriber from seeing a record twice or not at all.
        let mut ring = self.shared.lock();
        if ring.entries.len() == KEPT {
            ring.entries.pop_front();
        }
        ring.entries.push_back(Arc::clone(&entry));
        // An error only says that nobody listens.
        let _nobody = self.sender.send(entry);
    }

    /// The records of at least `level`: those kept from `since` on, then new ones.
    pub(crate) fn subscribe(&self, level: Level, since: Option<Timestamp>) -> LogSubscription {
        let mut ring = self.shared.lock();
        let past = match since {
            Some(since) => {
                let kept = ring.entries.iter().filter(|entry| entry.time >= since);
                kept.cloned().collect()
            }
            None => VecDeque::new(),
        };
        ring.listening.push(level);
        self.shared.note_level(&ring);
        LogSubscription {
            level,
            past,
            receiver: self.sender.subscribe(),
            shared: Arc::clone(&self.shared),
        }
    }
}

// === impl Shared ===

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_level(&self, ring: &Ring) {
        let least = ring.listening.iter().min().copied();
        let least = least.map_or(Level::INFO, |least| least.min(Level::INFO));
        self.level.store(least.value(), Ordering::Relaxed);
    }
}

// === impl LogSubscription ===

impl LogSubscription {
    /// Waits for the next record; `None` after the log has been dropped. A subscriber
    /// that is too slow misses the oldest ones.
    ///
    /// Cancelling the wait loses nothing.
    pub async fn next(&mut self) -> Option<Arc<LogEntry>> {
        loop {
            let entry = match self.past.pop_front() {
                Some(entry) => entry,
                None => match self.receiver.recv().await {
                    Ok(entry) => entry,
                    Err(RecvError::Lagged(_)) => continue,
                    Err(RecvError::Closed) => return None,
                },
            };
            if entry.level >= self.level {
                return Some(entry);
            }
        }
    }
}

impl Drop for LogSubscription {
    fn drop(&mut self) {
        let mut ring = self.shared.lock();
        let mine = ring.listening.iter().position(|level| *level == self.level);
        if let Some(mine) = mine {
            ring.listening.swap_remove(mine);
        }
        self.shared.note_level(&ring);
    }
}
