use std::ops::{Deref, RangeBounds};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use arc_swap::ArcSwap;
use keystead_crypto::Random;
use openraft::Vote;
use redb::{
    ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, TableError, WriteTransaction,
};

use super::bounds;
use crate::disk::{Disk, Error, open};
use crate::raft::{Entry, LogId, NodeId, codec};
use crate::seal::{Kind, RecordKeys};

/// The name of the file.
pub(crate) const FILE: &str = "log.redb";

/// The format this release writes, and the newest it reads.
const FORMAT: u64 = 1;

/// The log is short and read once: a page cache of this size holds it.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Index to term, node of the term's leader, and the sealed content.
const ENTRIES: TableDefinition<'static, u64, (u64, u64, &'static [u8])> =
    TableDefinition::new("entries");

/// Facts about the log, sealed.
const META: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("meta");

/// The format, the one fact in clear.
const FORMATS: TableDefinition<'static, &'static str, u64> = TableDefinition::new("format");

const VOTE: &str = "vote";
const COMMITTED: &str = "committed";
const PURGED: &str = "purged";

/// The file of the log. All methods wait for the disk.
pub(crate) struct Database {
    /// None after [`close`](Self::close).
    database: RwLock<Option<redb::Database>>,
    keys: Arc<ArcSwap<RecordKeys>>,
    random: Arc<dyn Random>,
}

/// What the log says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Positions {
    pub(crate) vote: Option<Vote<NodeId>>,
    pub(crate) committed: Option<LogId>,
    /// The last entry that was purged.
    pub(crate) purged: Option<LogId>,
    /// The last entry that is there.
    pub(crate) last: Option<LogId>,
}

// === impl Positions ===

impl Positions {
    /// The part of a range that the log should have; `None` if that is nothing.
    pub(super) fn clip(&self, range: impl RangeBounds<u64>) -> Option<(u64, u64)> {
        let (start, end) = bounds(range);
        let start = self
            .purged
            .map_or(start, |it| start.max(it.index.saturating_add(1)));
        let end = end.min(self.last?.index.saturating_add(1));
        (start < end).then_some((start, end))
    }
}

// === impl Database ===

impl Database {
    /// Opens the log, or makes an empty one.
    pub(crate) fn open(
        disk: &dyn Disk,
        keys: Arc<ArcSwap<RecordKeys>>,
        random: Arc<dyn Random>,
    ) -> Result<(Self, Positions), Error> {
        let this = Self {
            database: RwLock::new(Some(open(disk, FILE, CACHE_BYTES)?)),
            keys,
            random,
        };
        this.prepare()?;
        let positions = this.positions()?;
        Ok((this, positions))
    }

    /// Gives the file back. Whatever comes later is an error.
    pub(super) fn close(&self) {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        drop(database.take());
    }

    pub(super) fn save_vote(&self, vote: &Vote<NodeId>) -> Result<(), Error> {
        let write = self.begin()?;
        self.put_meta(&write, VOTE, &codec::encode_vote(vote))?;
        write.commit()
    }

    /// Writes entries, and the committed position beside them, with one fsync.
    pub(super) fn append(&self, entries: &[Entry], committed: Option<LogId>) -> Result<(), Error> {
        let write = self.begin()?;
        // Not before: whoever changes the keys then waits here for all that used the old.
        let keys = self.keys.load();
        {
            let mut table = write.open_table(ENTRIES).map_err(error)?;
            for entry in entries {
                let id = entry.log_id;
                let content = codec::encode_payload(entry);
                let record = keys
                    .seal(&*self.random, Kind::LogEntry, &position(id), &content)
                    .map_err(seal_error)?;
                let leader = id.leader_id;
                table
                    .insert(id.index, (leader.term, leader.node_id, record.as_slice()))
                    .map_err(error)?;
            }
        }
        if let Some(committed) = committed {
            self.put_meta(&write, COMMITTED, &codec::encode_log_id(committed))?;
        }
        write.commit()
    }

    /// Removes all entries from `since` on, and says which is the last one then.
    pub(super) fn truncate(&self, since: u64) -> Result<Option<LogId>, Error> {
        let write = self.begin()?;
        let last = {
            let mut table = write.open_table(ENTRIES).map_err(error)?;
            table.retain_in(since.., |_, _| false).map_err(error)?;
            last_entry(&table)?
        };
        write.commit()?;
        Ok(last)
    }

    /// Removes all entries up to `upto`.
    pub(super) fn purge(&self, upto: LogId) -> Result<(), Error> {
        let write = self.begin()?;
        {
            let mut table = write.open_table(ENTRIES).map_err(error)?;
            table
                .retain_in(..=upto.index, |_, _| false)
                .map_err(error)?;
        }
        self.put_meta(&write, PURGED, &codec::encode_log_id(upto))?;
        write.commit()
    }

    /// The entries `start..end`, all of them.
    pub(super) fn entries(&self, start: u64, end: u64) -> Result<Vec<Entry>, Error> {
        let keys = self.keys.load();
        let read = self.read()?;
        let table = read.open_table(ENTRIES).map_err(error)?;
        let mut entries = Vec::new();
        let mut expected = None;
        for row in table.range(start..end).map_err(error)? {
            let (index, value) = row.map_err(error)?;
            let index = index.value();
            if expected.is_some_and(|expected| expected != index) {
                return Err(gap(index));
            }
            expected = index.checked_add(1);
            let (term, node, record) = value.value();
            let id = LogId::new(openraft::LeaderId::new(term, node), index);
            let content = keys
                .open(Kind::LogEntry, &position(id), record)
                .map_err(|reason| Error::damaged(FILE, format!("entry {index}: {reason}")))?;
            let entry = codec::decode_payload(id, &content)
                .map_err(|reason| Error::damaged(FILE, format!("entry {index}: {reason}")))?;
            entries.push(entry);
        }
        if expected != Some(end) {
            return Err(gap(end));
        }
        Ok(entries)
    }

    /// Seals under the newest root key what is still under an older one.
    pub(super) fn reseal(&self) -> Result<(), Error> {
        let keys = self.keys.load();
        let write = self.begin()?;
        {
            let mut table = write.open_table(ENTRIES).map_err(error)?;
            let mut old = Vec::new();
            for row in table.iter().map_err(error)? {
                let (index, value) = row.map_err(error)?;
                let (term, node, record) = value.value();
                if !keys.is_current(record) {
                    old.push((index.value(), term, node, record.to_vec()));
                }
            }
            for (index, term, node, record) in old {
                let place = position(LogId::new(openraft::LeaderId::new(term, node), index));
                let record = self.resealed(&keys, Kind::LogEntry, &place, &record)?;
                table
                    .insert(index, (term, node, record.as_slice()))
                    .map_err(error)?;
            }
            let mut meta = write.open_table(META).map_err(error)?;
            for name in [VOTE, COMMITTED, PURGED] {
                let old = meta
                    .get(name)
                    .map_err(error)?
                    .map(|record| record.value().to_vec());
                if let Some(record) = old.filter(|record| !keys.is_current(record)) {
                    let record = self.resealed(&keys, Kind::LogMeta, name.as_bytes(), &record)?;
                    meta.insert(name, record.as_slice()).map_err(error)?;
                }
            }
        }
        write.commit()
    }

    fn resealed(
        &self,
        keys: &RecordKeys,
        kind: Kind,
        position: &[u8],
        record: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let content = keys
            .open(kind, position, record)
            .map_err(|reason| Error::damaged(FILE, reason.to_string()))?;
        keys.seal(&*self.random, kind, position, &content)
            .map_err(seal_error)
    }

    /// Makes the tables, and refuses what a newer release wrote.
    fn prepare(&self) -> Result<(), Error> {
        if let Some(format) = self.format()? {
            return match format > FORMAT {
                true => Err(Error::Newer {
                    file: FILE,
                    format,
                    known: FORMAT,
                }),
                false => Ok(()),
            };
        }
        let write = self.begin()?;
        write.open_table(ENTRIES).map_err(error)?;
        write.open_table(META).map_err(error)?;
        let mut formats = write.open_table(FORMATS).map_err(error)?;
        formats.insert(FILE, FORMAT).map_err(error)?;
        drop(formats);
        write.commit()
    }

    /// The format of the file; `None` if it is new.
    fn format(&self) -> Result<Option<u64>, Error> {
        match self.read()?.open_table(FORMATS) {
            Ok(formats) => Ok(formats.get(FILE).map_err(error)?.map(|it| it.value())),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(other) => Err(error(other)),
        }
    }

    fn positions(&self) -> Result<Positions, Error> {
        let damaged = |what: &str, reason: &dyn std::fmt::Display| {
            Error::damaged(FILE, format!("{what}: {reason}"))
        };
        let read = self.read()?;
        let table = read.open_table(META).map_err(error)?;
        let keys = self.keys.load();
        let meta = |name: &'static str| {
            let Some(record) = table.get(name).map_err(error)? else {
                return Ok(None);
            };
            keys.open(Kind::LogMeta, name.as_bytes(), record.value())
                .map(Some)
                .map_err(|reason| damaged(name, &reason))
        };
        let log_id = |name: &'static str| {
            meta(name)?
                .map(|it| codec::decode_log_id(&it))
                .transpose()
                .map_err(|reason| damaged(name, &reason))
        };
        let vote = meta(VOTE)?
            .map(|it| codec::decode_vote(&it))
            .transpose()
            .map_err(|reason| damaged(VOTE, &reason))?;
        Ok(Positions {
            vote,
            committed: log_id(COMMITTED)?,
            purged: log_id(PURGED)?,
            last: last_entry(&read.open_table(ENTRIES).map_err(error)?)?,
        })
    }

    fn put_meta(
        &self,
        write: &WriteTransaction,
        name: &'static str,
        content: &[u8],
    ) -> Result<(), Error> {
        let keys = self.keys.load();
        let record = keys
            .seal(&*self.random, Kind::LogMeta, name.as_bytes(), content)
            .map_err(seal_error)?;
        let mut meta = write.open_table(META).map_err(error)?;
        meta.insert(name, record.as_slice()).map_err(error)?;
        Ok(())
    }

    fn begin(&self) -> Result<Held<'_, WriteTransaction>, Error> {
        self.hold(|database| {
            let mut write = database.begin_write().map_err(error)?;
            // With one phase, a last commit that is damaged later looks like one that was
            // never finished, and what it confirmed would silently be gone.
            write.set_two_phase_commit(true);
            Ok(write)
        })
    }

    fn read(&self) -> Result<Held<'_, ReadTransaction>, Error> {
        self.hold(|database| database.begin_read().map_err(error))
    }

    fn hold<T>(
        &self,
        begin: impl FnOnce(&redb::Database) -> Result<T, Error>,
    ) -> Result<Held<'_, T>, Error> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let transaction = begin(database.as_ref().ok_or_else(|| Error::closed(FILE))?)?;
        Ok(Held {
            transaction,
            _database: database,
        })
    }
}

/// A transaction, for whose end [`Database::close`] waits: only then the file is free.
struct Held<'a, T> {
    transaction: T,
    _database: RwLockReadGuard<'a, Option<redb::Database>>,
}

// === impl Held ===

impl Held<'_, WriteTransaction> {
    fn commit(self) -> Result<(), Error> {
        self.transaction.commit().map_err(error)
    }
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.transaction
    }
}

fn last_entry(
    table: &impl ReadableTable<u64, (u64, u64, &'static [u8])>,
) -> Result<Option<LogId>, Error> {
    let Some((index, value)) = table.last().map_err(error)? else {
        return Ok(None);
    };
    let (term, node, _) = value.value();
    let leader = openraft::LeaderId::new(term, node);
    Ok(Some(LogId::new(leader, index.value())))
}

/// What the seal of an entry binds besides cluster and node.
fn position(id: LogId) -> [u8; 24] {
    let numbers = [id.index, id.leader_id.term, id.leader_id.node_id];
    let mut position = [0; 24];
    for (bytes, number) in position.as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
        *bytes = number.to_be_bytes();
    }
    position
}

fn gap(index: u64) -> Error {
    Error::damaged(FILE, format!("the entry before {index} is missing"))
}

fn error(source: impl Into<redb::Error>) -> Error {
    Error::new(FILE, source)
}

fn seal_error(source: keystead_crypto::Error) -> Error {
    Error::Seal { file: FILE, source }
}
