use std::sync::Arc;

use arc_swap::ArcSwap;
use openraft::Snapshot;
use openraft::raft::SnapshotResponse;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::pieces::Receiving;
use super::{Call, Engine, NetworkError, rpc};
use crate::seal::RecordKeys;

/// Answers the calls of other nodes.
pub(crate) struct Inbound {
    engine: Engine,
    keys: Arc<ArcSwap<RecordKeys>>,
    /// A snapshot that comes in; there is one leader, so there is one of them.
    receiving: Mutex<Receiving>,
}

// === impl Inbound ===

impl Inbound {
    pub(crate) fn new(engine: Engine, keys: Arc<ArcSwap<RecordKeys>>) -> Self {
        Self {
            engine,
            keys,
            receiving: Mutex::default(),
        }
    }

    pub(crate) async fn answer(
        &self,
        call: Call,
        body: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, NetworkError> {
        match call {
            Call::Append => {
                let request = rpc::decode_append(body).map_err(failed)?;
                let answer = self.engine.append_entries(request).await;
                Ok(rpc::encode_appended(&answer.map_err(failed)?))
            }
            Call::Vote => {
                let request = rpc::decode_ballot(body).map_err(failed)?;
                let answer = self.engine.vote(request).await;
                Ok(rpc::encode_voted(&answer.map_err(failed)?))
            }
            Call::Snapshot => self.take(body).await,
        }
    }

    async fn take(&self, body: &[u8]) -> Result<Zeroizing<Vec<u8>>, NetworkError> {
        let piece = rpc::decode_piece(body).map_err(failed)?;
        let mut receiving = self.receiving.lock().await;
        let complete = receiving.take(&self.keys.load(), &piece).map_err(failed)?;
        drop(receiving);
        let answer = match complete {
            None => SnapshotResponse { vote: piece.vote },
            Some(data) => {
                let snapshot = Snapshot {
                    meta: piece.meta,
                    snapshot: Box::new(data),
                };
                let installed = self.engine.install_full_snapshot(piece.vote, snapshot);
                installed.await.map_err(failed)?
            }
        };
        Ok(rpc::encode_installed(&answer))
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> NetworkError {
    NetworkError(Box::new(error))
}
