use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::Request;

/// Requests that are kept. Tests that look at requests make far fewer; those that
/// make more measure the memory of the process.
const CAPACITY: usize = 1024;

/// The requests a double has seen, the last 1,024 of them.
#[derive(Default)]
pub struct Journal(Mutex<VecDeque<Request<Bytes>>>);

// === impl Journal ===

impl Journal {
    pub(crate) fn note(&self, request: &Request<Bytes>) {
        let mut requests = self.requests();
        if requests.len() == CAPACITY {
            requests.pop_front();
        }
        requests.push_back(request.clone());
    }

    /// All requests since the last call.
    pub fn take(&self) -> Vec<Request<Bytes>> {
        std::mem::take(&mut *self.requests()).into()
    }

    /// How many requests there were to paths that contain `path`, since the last
    /// [`Journal::take`].
    #[must_use]
    pub fn count(&self, path: &str) -> usize {
        self.requests()
            .iter()
            .filter(|request| request.uri().path().contains(path))
            .count()
    }

    fn requests(&self) -> std::sync::MutexGuard<'_, VecDeque<Request<Bytes>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
