//! Operations that are proposed at about the same time share an entry of the log,
//! and so a write to the disk.

use std::sync::Arc;

use openraft::error::{ClientWriteError, RaftError};
use openraft::raft::ClientWriteResponse;
use tokio::sync::{mpsc, oneshot};

use super::{ProposeError, Stop};
use crate::raft::{Engine, NodeId, Peer, Types};
use crate::{Batch, Operation, OperationId, Outcome};

/// Operations in one entry. More wait for the next one.
const MAX_BATCH: usize = 256;

/// Operations that wait. More are held back.
const QUEUE: usize = 4096;

/// The way into the log.
pub(super) struct Proposer {
    queue: mpsc::Sender<Proposal>,
}

/// An operation and who waits for it.
struct Proposal {
    id: OperationId,
    operation: Operation,
    answer: oneshot::Sender<Result<Outcome, ProposeError>>,
}

type Written =
    Result<ClientWriteResponse<Types>, RaftError<NodeId, ClientWriteError<NodeId, Peer>>>;

// === impl Proposer ===

impl Proposer {
    /// The way into the log, and the work that somebody has to run.
    pub(super) fn new(
        engine: Engine,
        stop: Arc<Stop>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        (Self { queue }, run(engine, stop, waiting))
    }

    pub(super) async fn propose(
        &self,
        id: OperationId,
        operation: Operation,
    ) -> Result<Outcome, ProposeError> {
        let (answer, answered) = oneshot::channel();
        let proposal = Proposal {
            id,
            operation,
            answer,
        };
        if self.queue.send(proposal).await.is_err() {
            return Err(closed());
        }
        answered.await.unwrap_or_else(|_| Err(closed()))
    }
}

async fn run(engine: Engine, stop: Arc<Stop>, mut waiting: mpsc::Receiver<Proposal>) {
    let mut proposals = Vec::with_capacity(MAX_BATCH);
    while waiting.recv_many(&mut proposals, MAX_BATCH).await > 0 {
        let (operations, answers): (Vec<_>, Vec<_>) = proposals
            .drain(..)
            .map(|it| ((it.id, it.operation), it.answer))
            .unzip();
        let written = engine.client_write(Batch { operations }).await;
        let outcomes = outcomes(written, &stop);
        for (index, answer) in answers.into_iter().enumerate() {
            let outcome = match &outcomes {
                Ok(outcomes) => outcomes.get(index).cloned().ok_or_else(closed),
                Err(error) => Err(error.clone()),
            };
            // Whoever stopped waiting does not want to know.
            drop(answer.send(outcome));
        }
        // Whoever proposes again at once shall share the next entry, not miss it.
        tokio::task::yield_now().await;
    }
}

fn outcomes(written: Written, stop: &Stop) -> Result<Vec<Outcome>, ProposeError> {
    match written {
        Ok(written) => Ok(written.data.0),
        Err(RaftError::APIError(error)) => Err(ProposeError::Unavailable {
            reason: error.to_string(),
        }),
        Err(RaftError::Fatal(error)) => {
            stop.stop(&error);
            stop.check()?;
            Err(closed())
        }
    }
}

fn closed() -> ProposeError {
    ProposeError::Unavailable {
        reason: "the store is being closed".to_owned(),
    }
}
