//! The log of a node: entries, vote and positions, sealed, in `log.redb`.
//!
//! What the engine is told to be on the disk is there: each append is one durable
//! transaction, and its end is reported after the commit and not before. The
//! committed position is the exception: it travels with the next append, because
//! after a restart the engine finds it again.
//!
//! Entries of the last moments are kept in memory, since the engine reads each one
//! back to apply it.

mod database;
mod recent;
#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::ops::{Bound, RangeBounds};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use openraft::storage::{LogFlushed, LogState, RaftLogStorage};
use openraft::{OptionalSend, RaftLogReader, Vote};

use crate::disk::{self, blocking};
use crate::node::Stop;
use crate::raft::{Entry, Failure, LogId, NodeId, Types, read_failure, write_failure};

pub(crate) use database::{Database, FILE, Positions};
use recent::Recent;

/// The log that the engine works on. Clones are the same log.
#[derive(Clone)]
pub(crate) struct Log {
    database: Arc<Database>,
    memory: Arc<Mutex<Memory>>,
    stop: Arc<Stop>,
}

/// What is in memory of the log.
struct Memory {
    positions: Positions,
    recent: Recent,
}

// === impl Log ===

impl Log {
    pub(crate) fn new(database: Database, positions: Positions, stop: Arc<Stop>) -> Self {
        let recent = Recent::default();
        Self {
            database: Arc::new(database),
            memory: Arc::new(Mutex::new(Memory { positions, recent })),
            stop,
        }
    }

    /// Seals everything under the newest root key.
    pub(crate) async fn reseal(&self) -> Result<(), disk::Error> {
        let database = self.database.clone();
        let result = blocking(FILE, move || database.reseal()).await;
        result.inspect_err(|error| self.stop.stop(error))
    }

    /// Gives the file back.
    pub(crate) fn close(&self) {
        self.database.close();
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write(
        &self,
        job: impl FnOnce(&Database) -> Result<(), disk::Error> + Send + 'static,
    ) -> Result<(), Failure> {
        let database = self.database.clone();
        let result = blocking(FILE, move || job(&database)).await;
        result.map_err(|error| {
            self.stop.stop(&error);
            write_failure(&error)
        })
    }

    /// The entries of `range` that the log has, without a gap.
    async fn read(&self, range: impl RangeBounds<u64>) -> Result<Vec<Entry>, Failure> {
        let (start, end) = {
            let memory = self.memory();
            let Some((start, end)) = memory.positions.clip(range) else {
                return Ok(Vec::new());
            };
            if let Some(entries) = memory.recent.get(start, end) {
                return Ok(entries);
            }
            (start, end)
        };
        let database = self.database.clone();
        let result = blocking(FILE, move || database.entries(start, end)).await;
        result.map_err(|error| {
            self.stop.stop(&error);
            read_failure(&error)
        })
    }
}

impl RaftLogReader<Types> for Log {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, Failure> {
        self.read(range).await
    }
}

impl RaftLogStorage<Types> for Log {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, Failure> {
        let memory = self.memory();
        let Positions { purged, last, .. } = memory.positions;
        Ok(LogState {
            last_purged_log_id: purged,
            last_log_id: last.max(purged),
        })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote<NodeId>) -> Result<(), Failure> {
        let vote = *vote;
        self.write(move |database| database.save_vote(&vote))
            .await?;
        self.memory().positions.vote = Some(vote);
        Ok(())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote<NodeId>>, Failure> {
        Ok(self.memory().positions.vote)
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), Failure> {
        self.memory().positions.committed = committed;
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, Failure> {
        Ok(self.memory().positions.committed)
    }

    async fn append<I>(&mut self, entries: I, flushed: LogFlushed<Types>) -> Result<(), Failure>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Arc<Vec<Entry>> = Arc::new(entries.into_iter().collect());
        let committed = self.memory().positions.committed;
        let written = entries.clone();
        self.write(move |database| database.append(&written, committed))
            .await?;
        let mut memory = self.memory();
        if let Some(last) = entries.last() {
            memory.positions.last = Some(last.log_id);
        }
        memory
            .recent
            .push(Arc::try_unwrap(entries).unwrap_or_else(|shared| (*shared).clone()));
        drop(memory);
        flushed.log_io_completed(Ok(()));
        Ok(())
    }

    async fn truncate(&mut self, since: LogId) -> Result<(), Failure> {
        let database = self.database.clone();
        let result = blocking(FILE, move || database.truncate(since.index)).await;
        let last = result.map_err(|error| {
            self.stop.stop(&error);
            write_failure(&error)
        })?;
        let mut memory = self.memory();
        memory.recent.truncate(since.index);
        memory.positions.last = last;
        Ok(())
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), Failure> {
        self.write(move |database| database.purge(upto)).await?;
        let mut memory = self.memory();
        memory.recent.purge(upto.index);
        memory.positions.purged = Some(upto);
        if memory
            .positions
            .last
            .is_none_or(|last| last.index <= upto.index)
        {
            memory.positions.last = None;
        }
        Ok(())
    }
}

/// A range in the form of start and end.
fn bounds(range: impl RangeBounds<u64>) -> (u64, u64) {
    let start = match range.start_bound() {
        Bound::Included(start) => *start,
        Bound::Excluded(start) => start.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(end) => end.saturating_add(1),
        Bound::Excluded(end) => *end,
        Bound::Unbounded => u64::MAX,
    };
    (start, end)
}
