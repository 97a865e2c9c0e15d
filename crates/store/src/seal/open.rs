//! How a node comes to its root keys at start.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use keystead_crypto::Random;
use keystead_hsm::{Hsm, RootKey, SealedEntry, open_any};
use tokio::sync::Mutex;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::document::{Document, Root};
use super::{HsmError, RecordKeys, Seal, seal_root};

/// How long an HSM that is not needed for the start may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// An open seal, and what the operator should know about the HSMs.
pub(crate) struct Unsealed {
    pub(crate) seal: Seal,
    pub(crate) warnings: Vec<String>,
}

// === impl Seal ===

impl Seal {
    /// Opens the seal in `dir`, or makes one if `dir` has none.
    pub(crate) async fn open_or_create(
        dir: PathBuf,
        host: String,
        hsms: Vec<Arc<dyn Hsm>>,
        random: Arc<dyn Random>,
    ) -> Result<Unsealed, HsmError> {
        if hsms.is_empty() {
            return Err(HsmError::NoHsm);
        }
        match Document::read(&dir)? {
            Some(document) => Self::open(dir, document, hsms, random).await,
            None => Self::create(dir, host, hsms, random).await,
        }
    }

    async fn create(
        dir: PathBuf,
        host: String,
        hsms: Vec<Arc<dyn Hsm>>,
        random: Arc<dyn Random>,
    ) -> Result<Unsealed, HsmError> {
        let root = RootKey::generate(&*random).map_err(HsmError::RootKey)?;
        let mut sealed = Root {
            id: root.id(),
            entries: Vec::new(),
        };
        for hsm in &hsms {
            sealed.put(seal_root(&root, &**hsm).await?);
        }
        let mut names = Zeroizing::new([0; 32]);
        random.fill(&mut *names)?;
        let keys = RecordKeys::new(0, names, &root, &[]);
        let document = Document::new(root.cluster(), host, sealed, keys.seal_names(&*random)?);
        document.write(&dir)?;
        let seal = Self::new(dir, hsms, random, document, vec![Arc::new(root)], keys)?;
        Ok(Unsealed {
            seal,
            warnings: Vec::new(),
        })
    }

    async fn open(
        dir: PathBuf,
        mut document: Document,
        hsms: Vec<Arc<dyn Hsm>>,
        random: Arc<dyn Random>,
    ) -> Result<Unsealed, HsmError> {
        let mut roots = Vec::new();
        for root in &document.roots {
            let opened = open_any(&root.sealed_entries(), &hsms).await?.key;
            if opened.cluster() != document.cluster {
                return Err(HsmError::Damaged(
                    "its root key belongs to another cluster".to_owned(),
                ));
            }
            roots.push(Arc::new(opened));
        }
        let (current, older): (Vec<&RootKey>, Vec<&RootKey>) = roots
            .iter()
            .map(|root| &**root)
            .partition(|root| root.id() == document.current);
        let [current] = current[..] else {
            return Err(no_current_root());
        };
        let all: Vec<&RootKey> = [&[current][..], &older].concat();
        let names = RecordKeys::open_names(document.node, &document.names, &all)
            .map_err(|error| HsmError::Damaged(format!("the key of record names: {error}")))?;
        let keys = RecordKeys::new(document.node, names, current, &older);

        let mut warnings = Vec::new();
        let mut changed = false;
        for hsm in &hsms {
            let name = hsm.name();
            if document.removed.iter().any(|removed| removed == name) {
                warnings.push(format!(
                    "{name} is configured but its entry was removed; to use it again: `minkms \
                     add-hsm {name}`"
                ));
                continue;
            }
            for (sealed, root) in document.roots.iter_mut().zip(&roots) {
                match sealed.entry(name) {
                    Some(_) => {
                        let entries = sealed.sealed_entries();
                        warnings.extend(check(&entries, &**hsm).await);
                    }
                    None => match patient(seal_root(root, &**hsm)).await {
                        Ok(entry) => {
                            sealed.put(entry);
                            changed = true;
                        }
                        Err(reason) => warnings.push(format!(
                            "{name} is configured but has not sealed the root key: {reason}; \
                             when it answers again: `minkms add-hsm {name}`"
                        )),
                    },
                }
            }
        }
        if changed {
            document.write(&dir)?;
        }
        Ok(Unsealed {
            seal: Self::new(dir, hsms, random, document, roots, keys)?,
            warnings,
        })
    }

    fn new(
        dir: PathBuf,
        hsms: Vec<Arc<dyn Hsm>>,
        random: Arc<dyn Random>,
        document: Document,
        roots: Vec<Arc<RootKey>>,
        keys: RecordKeys,
    ) -> Result<Self, HsmError> {
        let current = roots.iter().find(|root| root.id() == document.current);
        let current = current.ok_or_else(no_current_root)?.clone();
        Ok(Self {
            dir,
            hsms,
            random,
            change: Mutex::new(()),
            document: ArcSwap::from_pointee(document),
            roots: ArcSwap::from_pointee(roots),
            current: ArcSwap::new(current),
            keys: Arc::new(ArcSwap::from_pointee(keys)),
        })
    }
}

fn no_current_root() -> HsmError {
    HsmError::Damaged("it does not have the root key that it says is current".to_owned())
}

/// Whether `hsm` opens its own entry; if not, the warning to show.
async fn check(entries: &[SealedEntry], hsm: &dyn Hsm) -> Option<String> {
    let name = hsm.name();
    let entry = entries.iter().find(|entry| entry.hsm == name)?;
    let opened = patient(async {
        RootKey::unseal_with(hsm, entry)
            .await
            .map_err(|source| HsmError::Hsm {
                hsm: name.to_owned(),
                source,
            })
    })
    .await;
    let reason = opened.err()?;
    Some(format!(
        "{name} cannot open its entry of the root key: {reason}; if its key was changed on \
         purpose: `minkms add-hsm --overwrite {name}`"
    ))
}

/// Waits for an HSM, but not for ever; an error comes as the text for a warning.
async fn patient<T>(work: impl Future<Output = Result<T, HsmError>>) -> Result<T, String> {
    match timeout(PATIENCE, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(HsmError::Hsm { source, .. })) => Err(source.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}
