use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use azure_core::http::Context;
use tokio::time::{Instant, timeout_at};

use super::AzureError;

/// The time that one call of the store has, with all its requests, pauses and logins.
pub(super) struct Budget {
    limit: Duration,
    end: Instant,
    /// What became of the last attempt that failed.
    last: Mutex<Option<AzureError>>,
}

// === impl Budget ===

impl Budget {
    pub(super) fn new(limit: Duration) -> Arc<Self> {
        Arc::new(Self {
            limit,
            end: Instant::now() + limit,
            last: Mutex::new(None),
        })
    }

    /// What every request of the call is sent with. The transport finds the budget there.
    pub(super) fn context(self: &Arc<Self>) -> Context<'static> {
        Context::new().with_value(Arc::clone(self))
    }

    /// Makes the call.
    pub(super) async fn spend<T>(
        &self,
        call: impl Future<Output = Result<T, AzureError>>,
    ) -> Result<T, AzureError> {
        timeout_at(self.end, call).await.unwrap_or_else(|_| {
            let last = self.last().take().map(Box::new);
            let limit = self.limit;
            Err(AzureError::Deadline { limit, last })
        })
    }

    /// Whether there is time for a pause and an attempt after it.
    pub(super) fn allows(&self, pause: Duration) -> bool {
        Instant::now() + pause < self.end
    }

    pub(super) fn note(&self, failure: AzureError) {
        *self.last() = Some(failure);
    }

    fn last(&self) -> MutexGuard<'_, Option<AzureError>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
