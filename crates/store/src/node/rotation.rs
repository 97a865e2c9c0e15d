//! After a rotation of the root key: old records move to the new one.

use std::sync::Arc;

use super::{Inner, Store};
use crate::disk::{self, blocking};
use crate::tables::FILE;

// === impl Store ===

impl Store {
    /// Moves all records to the newest root key in the background, then forgets the
    /// older ones.
    pub(super) async fn spawn_reseal(&self) {
        let inner = Arc::downgrade(&self.inner);
        self.inner.tasks.lock().await.spawn(async move {
            if let Some(inner) = inner.upgrade()
                && let Err(error) = reseal(&inner).await
            {
                inner.stop.stop(&error);
            }
        });
    }
}

async fn reseal(inner: &Inner) -> Result<(), disk::Error> {
    inner.log.reseal().await?;
    let mut next = None;
    loop {
        let tables = inner.tables.clone();
        next = blocking(FILE, move || tables.reseal(next)).await?;
        if next.is_none() {
            break;
        }
    }
    // If the file cannot be written now, the next start does it.
    drop(inner.seal.retire().await);
    Ok(())
}
