use std::future::Future;
use std::sync::Arc;

use keystead_crypto::Random;
use keystead_http::HttpError;
use keystead_keystore::{Error as StoreError, KeyStore, all_names, create_key, read_key};
use keystead_wire_kes::{ApiError, DescribeKey, ImportRequest, ListPattern, Name, Subject};
use tokio::time::timeout;

use crate::state::STORE_LIMIT;
use crate::{Error, failure, new_key};

/// The operations of the key API straight on a key store, for when no server runs.
///
/// Names are judged, keys made and errors told as a server does it; what it writes
/// cannot be told from what a server writes. There is no policy, no audit log and no
/// cache: servers that run on the same key store see a new key at once, and go on to
/// use a deleted one until it leaves their caches.
pub struct OfflineKeys {
    store: Arc<dyn KeyStore>,
    random: Arc<dyn Random>,
}

// === impl OfflineKeys ===

impl OfflineKeys {
    /// The keys of a store, which stays open; see [`open_store`](crate::open_store).
    #[must_use]
    pub fn new(store: Arc<dyn KeyStore>, random: Arc<dyn Random>) -> Self {
        Self { store, random }
    }

    /// Creates a key. `creator` is the identity it belongs to, empty if unknown.
    ///
    /// # Errors
    ///
    /// [`Error::Key`].
    pub async fn create(&self, name: &str, creator: &str) -> Result<(), Error> {
        checked(name)?;
        let key = new_key::generated(&*self.random, creator)?;
        let created = within_limit(create_key(&*self.store, name, &key)).await;
        Ok(created.map_err(failure::of_create)?)
    }

    /// Imports a key. `creator` is the identity it belongs to, empty if unknown.
    ///
    /// # Errors
    ///
    /// [`Error::Key`].
    pub async fn import(
        &self,
        name: &str,
        request: &ImportRequest,
        creator: &str,
    ) -> Result<(), Error> {
        checked(name)?;
        let key = new_key::imported(request, &*self.random, creator)?;
        let created = within_limit(create_key(&*self.store, name, &key)).await;
        Ok(created.map_err(failure::of_create)?)
    }

    /// Describes a key.
    ///
    /// # Errors
    ///
    /// [`Error::Key`].
    pub async fn describe(&self, name: &str) -> Result<DescribeKey, Error> {
        checked(name)?;
        let key = within_limit(read_key(&*self.store, name)).await;
        let key = key.map_err(failure::of_read)?;
        Ok(new_key::description(name, &key))
    }

    /// All names that match `pattern`, in ascending order.
    ///
    /// # Errors
    ///
    /// [`Error::Key`].
    pub async fn list(&self, pattern: &str) -> Result<Vec<String>, Error> {
        let prefix = ListPattern::parse_plain(pattern)
            .map_err(|_| HttpError::from(ApiError::invalid_pattern(pattern)))?;
        // However many pages there are; key stores limit the time of each.
        let names = all_names(&*self.store, prefix.prefix()).await;
        Ok(names.map_err(failure::of_list)?)
    }

    /// Deletes a key.
    ///
    /// # Errors
    ///
    /// [`Error::Key`].
    pub async fn delete(&self, name: &str) -> Result<(), Error> {
        checked(name)?;
        let deleted = within_limit(self.store.delete(name)).await;
        Ok(deleted.map_err(failure::of_delete)?)
    }

    /// Closes the key store.
    pub async fn close(&self) {
        self.store.close().await;
    }
}

fn checked(name: &str) -> Result<(), HttpError> {
    if Name::is_valid(name) {
        Ok(())
    } else {
        Err(ApiError::invalid_name(Subject::Key, name).into())
    }
}

async fn within_limit<T>(
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    timeout(STORE_LIMIT, work)
        .await
        .unwrap_or_else(|late| Err(StoreError::unreachable(late)))
}
