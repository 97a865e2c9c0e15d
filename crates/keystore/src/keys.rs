//! Keys in a key store, in the form that every server writes.

use keystead_crypto::StoredKey;

use crate::{Error, KeyStore};

/// Names asked for at once.
const PAGE: usize = 1024;

/// Stores a new key.
///
/// # Errors
///
/// Those of [`KeyStore::create`].
pub async fn create_key(store: &dyn KeyStore, name: &str, key: &StoredKey) -> Result<(), Error> {
    store.create(name, key.encode().as_bytes()).await
}

/// Reads a key.
///
/// # Errors
///
/// Those of [`KeyStore::get`], and [`Error::Failed`] if the value is not a key.
pub async fn read_key(store: &dyn KeyStore, name: &str) -> Result<StoredKey, Error> {
    let value = store.get(name).await?;
    StoredKey::decode(&value).map_err(Error::failed)
}

/// All names that begin with `prefix`, in ascending byte order, however many there
/// are.
///
/// # Errors
///
/// Those of [`KeyStore::list`].
pub async fn all_names(store: &dyn KeyStore, prefix: &str) -> Result<Vec<String>, Error> {
    let mut names: Vec<String> = Vec::new();
    loop {
        // A page begins with the last name of the page before.
        let last = names.pop().unwrap_or_default();
        let page = store.list(prefix, &last, PAGE).await?;
        let is_last = page.len() < PAGE;
        names.extend(page);
        if is_last {
            return Ok(names);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;

    #[tokio::test]
    async fn no_name_is_lost_between_pages() {
        let store = MemoryStore::new();
        for number in 0..2 * PAGE + 1 {
            store
                .create(&format!("key-{number:05}"), b"")
                .await
                .unwrap();
        }
        store.create("other", b"").await.unwrap();
        let names = all_names(&store, "key-").await.unwrap();
        assert_eq!(names.len(), 2 * PAGE + 1);
        assert!(names.is_sorted_by(|one, next| one < next));
        assert_eq!(all_names(&store, "").await.unwrap().len(), 2 * PAGE + 2);
        assert_eq!(all_names(&store, "none").await.unwrap(), [""; 0]);
    }
}
