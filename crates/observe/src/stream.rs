use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use prometheus::IntCounter;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Lines a subscriber may be behind before it loses the oldest.
const CAPACITY: usize = 1024;

/// The sending side of a live stream: a ring of lines that all subscribers
/// share, so that memory stays bounded however slow and many they are.
pub(crate) struct Live {
    sender: broadcast::Sender<Bytes>,
    /// Kept beside the channel, which takes a lock to count its receivers.
    subscribers: Arc<AtomicUsize>,
    delivered: IntCounter,
    missed: IntCounter,
}

impl Live {
    pub(crate) fn new(delivered: IntCounter, missed: IntCounter) -> Self {
        Self {
            sender: broadcast::Sender::new(CAPACITY),
            subscribers: Arc::default(),
            delivered,
            missed,
        }
    }

    pub(crate) fn has_subscribers(&self) -> bool {
        self.subscribers.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn subscribe(&self) -> Subscription {
        self.subscribers.fetch_add(1, Ordering::Relaxed);
        Subscription {
            receiver: self.sender.subscribe(),
            subscribers: Arc::clone(&self.subscribers),
            delivered: self.delivered.clone(),
            missed: self.missed.clone(),
        }
    }

    pub(crate) fn send(&self, line: Bytes) {
        // An error only says that the last subscriber has just left.
        let _nobody = self.sender.send(line);
    }
}

/// What a subscriber receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// One event as a line of JSON, newline included.
    Line(Bytes),
    /// The subscriber was too slow: so many events have been overwritten. The
    /// next one received is the oldest still kept.
    Missed(u64),
}

/// A live stream of the events recorded after it was opened.
pub struct Subscription {
    receiver: broadcast::Receiver<Bytes>,
    subscribers: Arc<AtomicUsize>,
    delivered: IntCounter,
    missed: IntCounter,
}

impl Subscription {
    /// Waits for the next event; `None` after the log has been dropped.
    ///
    /// Cancelling the wait loses nothing.
    pub async fn next(&mut self) -> Option<Received> {
        match self.receiver.recv().await {
            Ok(line) => {
                self.delivered.inc();
                Some(Received::Line(line))
            }
            Err(RecvError::Lagged(count)) => {
                self.missed.inc_by(count);
                Some(Received::Missed(count))
            }
            Err(RecvError::Closed) => None,
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.subscribers.fetch_sub(1, Ordering::Relaxed);
    }
}
