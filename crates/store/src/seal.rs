//! The chain from the HSMs down to the keys of records.
//!
//! HSM → root key → database key → one key for each record. `seal.json` holds
//! the root keys, each sealed once by every HSM; any one of them opens the node.
//! There is more than one root key only from a rotation until the last old record
//! has been rewritten.
//!
//! Records of the state are found on the disk by an HMAC of their name. Its key is
//! random, belongs to one node, and stays when the root key is rotated: it is
//! sealed under the newest root key, so nothing binds it to the first one, and
//! whoever learns it can confirm a guessed name but open nothing.

mod document;
mod error;
mod open;
mod record_keys;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use keystead_crypto::Random;
use keystead_hsm::{ClusterId, Hsm, RootKey, SealedEntry};
use keystead_wire_kms::ApiError;
use tokio::sync::Mutex;

pub(crate) use document::Document;
use document::{Entry, Root};
pub use error::HsmError;
pub(crate) use open::Unsealed;
pub(crate) use record_keys::{Kind, NAME_LEN, RecordKeys};

/// The name of the file.
pub(crate) const FILE: &str = "seal.json";

/// The seal of a running node.
pub(crate) struct Seal {
    dir: PathBuf,
    hsms: Vec<Arc<dyn Hsm>>,
    random: Arc<dyn Random>,
    /// Held while HSMs work, so that changes of the file come one after the other.
    change: Mutex<()>,
    document: ArcSwap<Document>,
    /// In the order of the document.
    roots: ArcSwap<Vec<Arc<RootKey>>>,
    current: ArcSwap<RootKey>,
    keys: Arc<ArcSwap<RecordKeys>>,
}

// === impl Seal ===

impl Seal {
    /// Seals the root keys under a configured HSM (decision D6).
    pub(crate) async fn add(&self, name: &str, overwrite: bool) -> Result<(), HsmError> {
        let _change = self.change.lock().await;
        let hsm = self.configured(name).ok_or(ApiError::HSM_NOT_FOUND)?;
        let mut document = self.document();
        let present = document.roots.iter().any(|root| root.entry(name).is_some());
        if present && !overwrite {
            return Err(ApiError::HSM_EXISTS.into());
        }
        let roots = self.roots.load_full();
        for (sealed, root) in document.roots.iter_mut().zip(roots.iter()) {
            sealed.put(seal_root(root, &**hsm).await?);
        }
        document.removed.retain(|removed| removed != name);
        self.replace(document)
    }

    /// Removes the entries of an HSM (decision D6).
    pub(crate) async fn remove(&self, name: &str, force: bool) -> Result<(), HsmError> {
        let _change = self.change.lock().await;
        let mut document = self.document();
        let current = document.current_root().ok_or(ApiError::HSM_NOT_FOUND)?;
        if current.entry(name).is_none() {
            return Err(ApiError::HSM_NOT_FOUND.into());
        }
        let another = current
            .entries
            .iter()
            .any(|entry| entry.hsm != name && self.configured(&entry.hsm).is_some());
        if !another && !force {
            return Err(ApiError::LAST_HSM.into());
        }
        for root in &mut document.roots {
            root.entries.retain(|entry| entry.hsm != name);
        }
        document.removed.push(name.to_owned());
        self.replace(document)
    }

    /// Makes a new root key for all records from now on. The old ones stay until
    /// [`retire`](Self::retire).
    pub(crate) async fn rotate(&self) -> Result<Arc<RootKey>, HsmError> {
        let _change = self.change.lock().await;
        let mut document = self.document();
        if document.roots.len() > 1 {
            return Err(HsmError::Rotating);
        }
        let new = self.current.load().successor(&*self.random);
        let new = new.map_err(HsmError::RootKey)?;
        let mut sealed = Root {
            id: new.id(),
            entries: Vec::new(),
        };
        for entry in document.current_root().map_or(&[][..], |it| &it.entries) {
            let hsm = self
                .configured(&entry.hsm)
                .ok_or_else(|| HsmError::NotConfigured {
                    hsm: entry.hsm.clone(),
                })?;
            sealed.put(seal_root(&new, &**hsm).await?);
        }
        let new = Arc::new(new);
        let mut roots = (*self.roots.load_full()).clone();
        let keys = self.keys_under(&new, &roots);
        document.names = keys.seal_names(&*self.random)?;
        document.current = sealed.id;
        document.roots.push(sealed);
        self.replace(document)?;
        roots.push(new.clone());
        self.roots.store(Arc::new(roots));
        self.current.store(new.clone());
        self.keys.store(Arc::new(keys));
        Ok(new)
    }

    /// Forgets all root keys but the newest, once no record needs them.
    pub(crate) async fn retire(&self) -> Result<(), HsmError> {
        let _change = self.change.lock().await;
        let mut document = self.document();
        let current = document.current;
        document.roots.retain(|root| root.id == current);
        let root = self.current.load_full();
        let keys = self.keys_under(&root, &[]);
        self.replace(document)?;
        self.roots.store(Arc::new(vec![root]));
        self.keys.store(Arc::new(keys));
        Ok(())
    }

    /// Whether `hsm` works, and opens its entry of the newest root key.
    pub(crate) async fn probe(&self, hsm: &dyn Hsm) -> Result<(), keystead_hsm::Error> {
        hsm.probe().await?;
        let entries = self.sealed_entries();
        match entries.iter().find(|entry| entry.hsm == hsm.name()) {
            Some(entry) => RootKey::unseal_with(hsm, entry).await.map(drop),
            None => Ok(()),
        }
    }

    /// Records that the first start came to its end.
    pub(crate) async fn set_initialised(&self) -> Result<(), HsmError> {
        let _change = self.change.lock().await;
        let mut document = self.document();
        document.initialised = true;
        self.replace(document)
    }

    pub(crate) async fn set_host(&self, host: &str) -> Result<(), HsmError> {
        let _change = self.change.lock().await;
        let mut document = self.document();
        host.clone_into(&mut document.host);
        self.replace(document)
    }

    /// The keys of records, which change at a rotation.
    pub(crate) fn keys(&self) -> &Arc<ArcSwap<RecordKeys>> {
        &self.keys
    }

    pub(crate) fn cluster(&self) -> ClusterId {
        self.document.load().cluster
    }

    pub(crate) fn node(&self) -> u64 {
        self.document.load().node
    }

    pub(crate) fn host(&self) -> String {
        self.document.load().host.clone()
    }

    pub(crate) fn is_initialised(&self) -> bool {
        self.document.load().initialised
    }

    /// The newest root key.
    pub(crate) fn root_key(&self) -> Arc<RootKey> {
        self.current.load_full()
    }

    /// How many root keys records are sealed under.
    pub(crate) fn root_count(&self) -> usize {
        self.roots.load().len()
    }

    /// The copies of the newest root key.
    pub(crate) fn sealed_entries(&self) -> Vec<SealedEntry> {
        self.document
            .load()
            .current_root()
            .map(Root::sealed_entries)
            .unwrap_or_default()
    }

    pub(crate) fn hsms(&self) -> &[Arc<dyn Hsm>] {
        &self.hsms
    }

    fn configured(&self, name: &str) -> Option<&Arc<dyn Hsm>> {
        self.hsms.iter().find(|hsm| hsm.name() == name)
    }

    fn document(&self) -> Document {
        Document::clone(&self.document.load())
    }

    fn replace(&self, document: Document) -> Result<(), HsmError> {
        document.write(&self.dir)?;
        self.document.store(Arc::new(document));
        Ok(())
    }

    fn keys_under(&self, current: &RootKey, older: &[Arc<RootKey>]) -> RecordKeys {
        let older: Vec<&RootKey> = older.iter().map(|root| &**root).collect();
        RecordKeys::new(self.node(), self.keys.load().names(), current, &older)
    }
}

async fn seal_root(root: &RootKey, hsm: &dyn Hsm) -> Result<Entry, HsmError> {
    let entry = root.seal_with(hsm).await.map_err(|source| HsmError::Hsm {
        hsm: hsm.name().to_owned(),
        source,
    })?;
    Ok(Entry {
        hsm: entry.hsm,
        sealed: entry.sealed,
    })
}
