use std::time::Duration;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::Error;

/// A place that maps key names to opaque values (key stores, section 1).
///
/// There is no operation that changes a value: a key is created, read and
/// deleted. Every call may be cancelled by dropping its future; a cancelled
/// create or delete has either happened completely or not at all.
///
/// Names are passed on unchanged. Callers have checked them; a store refuses
/// what it cannot represent with [`Error::Failed`]. Every call may end with
/// [`Error::Denied`] for want of a right.
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// What the store is, for the start-up banner and the logs. Never contains
    /// credentials.
    fn description(&self) -> String;

    /// Asks the store whether it is usable and tells how long it took.
    ///
    /// A store that keeps connections opens a fresh one after a failed call, so
    /// that asking again at once distinguishes a dead connection from a dead
    /// store.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`], [`Error::Denied`] or [`Error::Failed`].
    async fn status(&self) -> Result<Duration, Error>;

    /// Stores a value under a name that is not in use. Never overwrites: of
    /// any number of concurrent creates of one name, through any number of
    /// servers, exactly one succeeds. After success the value is durable.
    ///
    /// # Errors
    ///
    /// [`Error::KeyExists`] if the name is in use.
    async fn create(&self, name: &str, value: &[u8]) -> Result<(), Error>;

    /// The value stored under a name, byte for byte.
    ///
    /// # Errors
    ///
    /// [`Error::KeyNotFound`] if the name is not in use.
    async fn get(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error>;

    /// Removes a name and its value for good.
    ///
    /// # Errors
    ///
    /// [`Error::KeyNotFound`] if the name is not in use and the store can tell;
    /// some report success then.
    async fn delete(&self, name: &str) -> Result<(), Error>;

    /// At most `limit` names that begin with `prefix` and are not less than
    /// `start`, in ascending byte order. An answer shorter than `limit` is the
    /// end of the list.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`], [`Error::Denied`] or [`Error::Failed`].
    async fn list(&self, prefix: &str, start: &str, limit: usize) -> Result<Vec<String>, Error>;

    /// Stops background work. Calls that are under way or come later are still
    /// answered, with a result or an error; closing twice does no harm.
    async fn close(&self);
}
