use std::sync::Arc;

use arc_swap::ArcSwap;
use openraft::storage::RaftStateMachine;
use openraft::{EntryPayload, OptionalSend, Snapshot};

use super::snapshot::{Last, Meta, SnapshotBuilder};
use super::{Answers, Entry, Failure, LogId, Membership, SnapshotData, Types, write_failure};
use crate::apply_batch;
use crate::disk::{self, blocking};
use crate::node::Stop;
use crate::tables::{Applied, FILE, Tables};
use crate::{Change, State};

/// Entries applied before the state is made durable. After a crash that many are
/// applied again.
const CHECKPOINT: u64 = 256;

/// Applies entries: to the state in memory that everybody reads, and to the tables.
pub(crate) struct Machine {
    tables: Arc<Tables>,
    /// What readers see: the state after an entry, once its tables are written.
    state: Arc<ArcSwap<State>>,
    applied: Applied,
    /// Entries since the last checkpoint.
    pending: u64,
    last: Last,
    stop: Arc<Stop>,
}

/// The state after some entries, and how it differs from the one before.
struct Step {
    state: Arc<State>,
    changes: Vec<Change>,
    applied: Applied,
    answers: Vec<Answers>,
}

// === impl Machine ===

impl Machine {
    pub(crate) fn new(
        tables: Arc<Tables>,
        state: Arc<ArcSwap<State>>,
        applied: Applied,
        stop: Arc<Stop>,
    ) -> Self {
        Self {
            tables,
            state,
            applied,
            pending: 0,
            last: Last::default(),
            stop,
        }
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Tables) -> Result<T, disk::Error> + Send + 'static,
    ) -> Result<T, Failure> {
        let tables = self.tables.clone();
        let result = blocking(FILE, move || job(&tables)).await;
        result.map_err(|error| {
            self.stop.stop(&error);
            write_failure(&error)
        })
    }
}

impl RaftStateMachine<Types> for Machine {
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, Membership), Failure> {
        Ok((self.applied.log_id, self.applied.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Answers>, Failure>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        self.pending = self.pending.saturating_add(count);
        let checkpoint = self.pending >= CHECKPOINT;
        let state = self.state.load_full();
        let applied = self.applied.clone();
        let step = self
            .on_disk(move |tables| {
                let step = Step::of(state, applied, &entries);
                tables.write(&step.changes, &step.applied)?;
                if checkpoint {
                    tables.checkpoint()?;
                }
                Ok(step)
            })
            .await?;
        if checkpoint {
            self.pending = 0;
        }
        self.applied = step.applied;
        self.state.store(step.state);
        Ok(step.answers)
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        SnapshotBuilder {
            tables: self.tables.clone(),
            state: self.state.load_full(),
            applied: self.applied.clone(),
            last: self.last.clone(),
            stop: self.stop.clone(),
        }
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<SnapshotData>, Failure> {
        Ok(Box::default())
    }

    async fn install_snapshot(
        &mut self,
        meta: &Meta,
        snapshot: Box<SnapshotData>,
    ) -> Result<(), Failure> {
        let applied = Applied {
            log_id: meta.last_log_id,
            membership: meta.last_membership.clone(),
            commit: snapshot.0.commit(),
            installed: true,
        };
        let (state, written) = (snapshot.0.clone(), applied.clone());
        self.on_disk(move |tables| tables.replace(&state, &written))
            .await?;
        self.applied = applied;
        self.pending = 0;
        self.state.store(snapshot.0.clone());
        self.last.set(meta.clone(), *snapshot);
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<Types>>, Failure> {
        Ok(self.last.get())
    }
}

// === impl Step ===

impl Step {
    fn of(state: Arc<State>, mut applied: Applied, entries: &[Entry]) -> Self {
        let mut changes = Vec::new();
        let mut answers = Vec::with_capacity(entries.len());
        let mut next = state;
        for entry in entries {
            applied.log_id = Some(entry.log_id);
            answers.push(match &entry.payload {
                EntryPayload::Blank => Answers::default(),
                EntryPayload::Membership(membership) => {
                    applied.membership = Membership::new(Some(entry.log_id), membership.clone());
                    Answers::default()
                }
                EntryPayload::Normal(batch) => {
                    let after = apply_batch(&next, batch);
                    changes.extend(after.changes);
                    next = Arc::new(after.state);
                    Answers(after.outcomes)
                }
            });
        }
        applied.commit = next.commit();
        applied.installed = false;
        Self {
            state: next,
            changes,
            applied,
            answers,
        }
    }
}
