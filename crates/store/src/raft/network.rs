use std::future::Future;
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use keystead_crypto::Random;
use openraft::error::{
    Fatal, NetworkError as EngineError, RPCError, RaftError, ReplicationClosed, StreamingError,
    Unreachable,
};
use openraft::network::RPCOption;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use openraft::{OptionalSend, RaftNetwork, RaftNetworkFactory, Snapshot, Vote};
use zeroize::Zeroizing;

use super::pieces::Pieces;
use super::{NodeId, Peer, Types, rpc};
use crate::Error;
use crate::seal::RecordKeys;

/// Carries calls from one node to another and the answers back.
///
/// Calls hold key material in clear, so connections have to be encrypted, and both
/// ends have to know each other as members of the cluster. A node gives what it
/// receives to [`Store::answer`](crate::Store::answer).
#[async_trait]
pub trait Network: Send + Sync + 'static {
    /// Has `peer` answer a call.
    ///
    /// # Errors
    /// [`NetworkError`] if there is no answer. The call may have had its effect.
    async fn call(
        &self,
        peer: &Peer,
        call: Call,
        body: Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, NetworkError>;
}

/// What one node asks of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// To take entries of the log.
    Append,
    /// To vote for it as leader.
    Vote,
    /// To take a piece of a snapshot.
    Snapshot,
}

/// Why a node gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NetworkError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The network of a cluster of one node: there is nobody else.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Alone;

/// The engine's view of a network.
#[derive(Clone)]
pub(crate) struct Peers {
    pub(crate) network: Arc<dyn Network>,
    pub(crate) keys: Arc<ArcSwap<RecordKeys>>,
    pub(crate) random: Arc<dyn Random>,
}

/// The engine's view of one node.
pub(crate) struct Remote {
    peers: Peers,
    peer: Peer,
}

type RpcError = RPCError<NodeId, Peer, RaftError<NodeId>>;

// === impl Alone ===

#[async_trait]
impl Network for Alone {
    async fn call(
        &self,
        peer: &Peer,
        _call: Call,
        _body: Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, NetworkError> {
        let text = format!("this release runs on one node: nobody calls {peer}");
        Err(NetworkError(text.into()))
    }
}

// === impl Peers ===

impl RaftNetworkFactory<Types> for Peers {
    type Network = Remote;

    async fn new_client(&mut self, _target: NodeId, peer: &Peer) -> Remote {
        Remote {
            peers: self.clone(),
            peer: peer.clone(),
        }
    }
}

// === impl Remote ===

impl Remote {
    async fn call<T>(
        &self,
        call: Call,
        body: Zeroizing<Vec<u8>>,
        decode: impl FnOnce(&[u8]) -> Result<T, Error>,
    ) -> Result<T, CallError> {
        let answer = self.peers.network.call(&self.peer, call, body).await;
        let answer = answer.map_err(|error| CallError::Unreachable(Unreachable::new(&error)))?;
        decode(&answer).map_err(|error| CallError::Answer(EngineError::new(&error)))
    }
}

impl RaftNetwork<Types> for Remote {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<Types>,
        _option: RPCOption,
    ) -> Result<AppendEntriesResponse<NodeId>, RpcError> {
        let body = rpc::encode_append(&request);
        Ok(self.call(Call::Append, body, rpc::decode_appended).await?)
    }

    async fn vote(
        &mut self,
        request: VoteRequest<NodeId>,
        _option: RPCOption,
    ) -> Result<VoteResponse<NodeId>, RpcError> {
        let body = rpc::encode_ballot(&request);
        Ok(self.call(Call::Vote, body, rpc::decode_voted).await?)
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote<NodeId>,
        snapshot: Snapshot<Types>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<NodeId>, StreamingError<Types, Fatal<NodeId>>> {
        let send = async {
            let keys = self.peers.keys.load_full();
            let mut pieces = Pieces::new(vote, snapshot.meta, &snapshot.snapshot);
            let mut answer = SnapshotResponse { vote };
            while let Some(piece) = pieces.next(&keys, &*self.peers.random) {
                let piece = piece.map_err(|error| EngineError::new(&error))?;
                let body = rpc::encode_piece(piece);
                let call = self.call(Call::Snapshot, body, rpc::decode_installed);
                answer = call.await.map_err(StreamingError::from)?;
                if answer.vote > vote {
                    break;
                }
            }
            Ok(answer)
        };
        tokio::select! {
            answer = send => answer,
            closed = cancel => Err(closed.into()),
        }
    }
}

/// Why a call failed, in the engine's two kinds: no answer, or not one we read.
enum CallError {
    Unreachable(Unreachable),
    Answer(EngineError),
}

impl From<CallError> for RpcError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Unreachable(error) => error.into(),
            CallError::Answer(error) => error.into(),
        }
    }
}

impl From<CallError> for StreamingError<Types, Fatal<NodeId>> {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Unreachable(error) => error.into(),
            CallError::Answer(error) => error.into(),
        }
    }
}
