use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::Request;

/// Every request a double has seen.
#[derive(Default)]
pub struct Journal(Mutex<Vec<Request<Bytes>>>);

// === impl Journal ===

impl Journal {
    pub(crate) fn note(&self, request: &Request<Bytes>) {
        self.requests().push(request.clone());
    }

    /// All requests since the last call.
    pub fn take(&self) -> Vec<Request<Bytes>> {
        std::mem::take(&mut self.requests())
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

    fn requests(&self) -> std::sync::MutexGuard<'_, Vec<Request<Bytes>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
