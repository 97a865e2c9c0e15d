//! A node: its directory, its engine, and the handle that everybody else uses.

mod error;
mod lock;
mod open;
mod options;
mod propose;
mod rotation;
mod status;
mod stop;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arc_swap::ArcSwap;
use keystead_crypto::Random;
use keystead_hsm::{ClusterId, Hsm, RootKey, RootKeyId, SealedEntry};
use keystead_identity::KmsIdentity;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use crate::log::Log;
use crate::raft::{Call, Engine, Inbound, NetworkError};
pub use crate::seal::HsmError;
use crate::seal::Seal;
use crate::tables::Tables;
use crate::{Operation, OperationId, State};

pub use error::{OpenError, ProposeError};
use lock::Lock;
pub use options::{Opened, Options};
use propose::Proposer;
pub use status::{Role, Status};
pub(crate) use stop::Stop;
pub use stop::Stopped;

/// The store of a running node. Clones are the same store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    seal: Seal,
    state: Arc<ArcSwap<State>>,
    admin: Option<KmsIdentity>,
    random: Arc<dyn Random>,
    engine: Engine,
    inbound: Inbound,
    proposer: Proposer,
    log: Log,
    tables: Arc<Tables>,
    stop: Arc<Stop>,
    tasks: Mutex<JoinSet<()>>,
    lock: Lock,
}

// === impl Store ===

impl Store {
    /// The state of this moment: no lock, no waiting.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        self.inner.state.load_full()
    }

    /// Who is root: `admin.identity` of the configuration, else the identity that was
    /// recorded at the first start (decision D3).
    #[must_use]
    pub fn root(&self) -> KmsIdentity {
        let recorded = || self.inner.state.load().root();
        let root = self.inner.admin.or_else(recorded);
        root.unwrap_or(KmsIdentity::NOBODY)
    }

    /// Changes the state. When this returns, the change is durable and every later
    /// [`state`](Self::state) has it.
    ///
    /// It goes on if the caller stops waiting.
    ///
    /// # Errors
    /// [`ProposeError::Api`] if the state forbids it; otherwise the change may or may
    /// not have happened, which [`propose_as`](Self::propose_as) finds out.
    pub async fn propose(&self, operation: Operation) -> Result<(), ProposeError> {
        let mut id = [0; 16];
        self.inner
            .random
            .fill(&mut id)
            .map_err(|error| ProposeError::Unavailable {
                reason: error.to_string(),
            })?;
        self.propose_as(OperationId(id), operation).await
    }

    /// As [`propose`](Self::propose), with an id of the caller's. The same id again
    /// changes nothing and gives the outcome of the first time, so it is safe to try
    /// again after an unknown outcome.
    ///
    /// # Errors
    /// Those of [`propose`](Self::propose).
    pub async fn propose_as(
        &self,
        id: OperationId,
        operation: Operation,
    ) -> Result<(), ProposeError> {
        self.check()?;
        let outcome = self.inner.proposer.propose(id, operation).await?;
        outcome.into_result().map_err(ProposeError::Api)
    }

    /// Whether the node works. Cheap.
    ///
    /// # Errors
    /// Why it stopped by itself. What [`state`](Self::state) gives is still right, but
    /// may be old.
    pub fn check(&self) -> Result<(), Stopped> {
        self.inner.stop.check()
    }

    /// Waits until the node stops by itself, and says why.
    pub async fn stopped(&self) -> Stopped {
        self.inner.stop.stopped().await
    }

    /// Returns when a majority agrees that a change could be made now.
    ///
    /// # Errors
    /// Why it could not.
    pub async fn ready(&self) -> Result<(), ProposeError> {
        self.check()?;
        match self.inner.engine.ensure_linearizable().await {
            Ok(_) => Ok(()),
            Err(error) => Err(ProposeError::Unavailable {
                reason: error.to_string(),
            }),
        }
    }

    /// Asks every configured HSM whether it works, and has it open its entry of the
    /// root key if it holds one: its name, and what it said.
    pub async fn probe_hsms(&self) -> Vec<(String, Result<(), keystead_hsm::Error>)> {
        let mut results = Vec::new();
        for hsm in self.hsms() {
            let result = self.inner.seal.probe(&**hsm).await;
            results.push((hsm.name().to_owned(), result));
        }
        results
    }

    /// Seals the root key under a configured HSM (decision D6).
    ///
    /// # Errors
    /// [`HsmError::Api`] with the client's error, or what failed here.
    pub async fn add_hsm(&self, name: &str, overwrite: bool) -> Result<(), HsmError> {
        self.inner.seal.add(name, overwrite).await
    }

    /// Removes the entry of an HSM (decision D6).
    ///
    /// # Errors
    /// [`HsmError::Api`] with the client's error, or what failed here.
    pub async fn remove_hsm(&self, name: &str, force: bool) -> Result<(), HsmError> {
        self.inner.seal.remove(name, force).await
    }

    /// Makes a new root key, sealed by all HSMs that hold the present one, for all
    /// that is written from now on. What was written before is moved to it in the
    /// background, then the old one is forgotten.
    ///
    /// # Errors
    /// [`HsmError::Rotating`] until the last rotation is done; if an HSM cannot seal,
    /// nothing changes.
    pub async fn rotate_root(&self) -> Result<RootKeyId, HsmError> {
        let root = self.inner.seal.rotate().await?;
        self.spawn_reseal().await;
        Ok(root.id())
    }

    /// The root key, for the keys of backups and nodes.
    #[must_use]
    pub fn root_key(&self) -> Arc<RootKey> {
        self.inner.seal.root_key()
    }

    /// The root key as each HSM sealed it, for the header of a backup.
    #[must_use]
    pub fn sealed_entries(&self) -> Vec<SealedEntry> {
        self.inner.seal.sealed_entries()
    }

    /// The HSMs that are configured.
    #[must_use]
    pub fn hsms(&self) -> &[Arc<dyn Hsm>] {
        self.inner.seal.hsms()
    }

    /// The cluster.
    #[must_use]
    pub fn cluster(&self) -> ClusterId {
        self.inner.seal.cluster()
    }

    /// Answers a call that another node made through its
    /// [`Network`](crate::Network). The caller has verified who it is.
    ///
    /// # Errors
    /// [`NetworkError`] if the call makes no sense or this node has stopped.
    pub async fn answer(
        &self,
        call: Call,
        body: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, NetworkError> {
        self.inner.inbound.answer(call, body).await
    }

    /// Makes everything durable and gives the directory free. Whatever is proposed
    /// later is refused.
    pub async fn close(&self) {
        self.inner.tasks.lock().await.shutdown().await;
        // A node that stopped by itself has no engine to wait for.
        drop(self.inner.engine.shutdown().await);
        let (log, tables) = (self.inner.log.clone(), self.inner.tables.clone());
        let work = self.check().is_ok();
        let closed = tokio::task::spawn_blocking(move || {
            if work && let Err(error) = tables.checkpoint() {
                // The log has it all; the next start takes longer, that is all.
                drop(error);
            }
            tables.close();
            log.close();
        });
        drop(closed.await);
        for hsm in self.hsms() {
            hsm.close().await;
        }
        self.inner.stop.stop(&"it was closed");
        self.inner.lock.release();
    }
}
