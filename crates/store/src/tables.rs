//! The state of a node on the disk, sealed, in `state.redb`.
//!
//! One record for each record of the [`State`]. Its name is an HMAC, so that it can
//! be found and replaced without a name in clear; the name in clear is inside. The
//! position in the log up to which the state goes is written in the same
//! transaction. Transactions are not durable one by one, because the log is: after
//! a crash the database falls back to the last [`checkpoint`](Tables::checkpoint)
//! and the engine applies again what came after.
//!
//! [`State::load`] compares the digest of all records with the one that was written
//! with them, so a record that is missing, old or foreign is found at start.

mod applied;
mod load;
mod reseal;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};

use arc_swap::ArcSwap;
use keystead_crypto::Random;
use redb::{Database, Durability, ReadableDatabase, TableDefinition, TableError, WriteTransaction};
use zeroize::Zeroizing;

use crate::disk::{Disk, Error, open};
use crate::seal::{Kind, NAME_LEN, RecordKeys};
use crate::{Change, State, Table};

pub(crate) use applied::Applied;

/// The name of the file.
pub(crate) const FILE: &str = "state.redb";

/// The format this release writes, and the newest it reads.
const FORMAT: u64 = 1;

/// Records are read once, at start; a write reads the few pages above its own.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// The code of the table, then the name of the record.
type Name = [u8; NAME_LEN + 1];

const RECORDS: TableDefinition<'static, Name, &'static [u8]> = TableDefinition::new("records");

/// Facts about the state, sealed.
const META: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("meta");

/// The format, the one fact in clear.
const FORMATS: TableDefinition<'static, &'static str, u64> = TableDefinition::new("format");

const APPLIED: &str = "applied";

/// The file of the state. All methods wait for the disk.
pub(crate) struct Tables {
    /// None after [`close`](Self::close).
    database: RwLock<Option<Database>>,
    keys: Arc<ArcSwap<RecordKeys>>,
    random: Arc<dyn Random>,
}

// === impl Tables ===

impl Tables {
    /// Opens the tables, or makes empty ones.
    pub(crate) fn open(
        disk: &dyn Disk,
        keys: Arc<ArcSwap<RecordKeys>>,
        random: Arc<dyn Random>,
    ) -> Result<Self, Error> {
        let this = Self {
            database: RwLock::new(Some(open(disk, FILE, CACHE_BYTES)?)),
            keys,
            random,
        };
        match this.with(format)? {
            Some(format) if format > FORMAT => Err(Error::Newer {
                file: FILE,
                format,
                known: FORMAT,
            }),
            Some(_) => Ok(this),
            None => this
                .write_with(Durability::Immediate, prepare)
                .map(|()| this),
        }
    }

    /// Writes what entries changed and how far the log is applied now, all or
    /// nothing, but not yet durable.
    pub(crate) fn write(&self, changes: &[Change], applied: &Applied) -> Result<(), Error> {
        self.write_with(Durability::None, |write| {
            self.put(write, changes)?;
            self.put_applied(write, applied)
        })
    }

    /// Replaces everything, durably.
    pub(crate) fn replace(&self, state: &State, applied: &Applied) -> Result<(), Error> {
        self.write_with(Durability::Immediate, |write| {
            write.delete_table(RECORDS).map_err(error)?;
            for record in state.records() {
                self.put(write, &[record.into()])?;
            }
            self.put_applied(write, applied)
        })
    }

    /// Makes everything written so far durable.
    pub(crate) fn checkpoint(&self) -> Result<(), Error> {
        self.write_with(Durability::Immediate, |_| Ok(()))
    }

    /// Gives the file back. Whatever comes later is an error.
    pub(crate) fn close(&self) {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        drop(database.take());
    }

    fn put(&self, write: &WriteTransaction, changes: &[Change]) -> Result<(), Error> {
        let keys = self.keys.load();
        let mut table = write.open_table(RECORDS).map_err(error)?;
        for change in changes {
            let name = name(&keys, change.table, &change.key);
            let Some(value) = &change.value else {
                table.remove(name).map_err(error)?;
                continue;
            };
            let content = join(&change.key, value);
            let record = keys
                .seal(&*self.random, Kind::State, &name, &content)
                .map_err(seal_error)?;
            table.insert(name, record.as_slice()).map_err(error)?;
        }
        Ok(())
    }

    fn put_applied(&self, write: &WriteTransaction, applied: &Applied) -> Result<(), Error> {
        let keys = self.keys.load();
        let content = applied.encode();
        let record = keys
            .seal(&*self.random, Kind::StateMeta, APPLIED.as_bytes(), &content)
            .map_err(seal_error)?;
        let mut meta = write.open_table(META).map_err(error)?;
        meta.insert(APPLIED, record.as_slice()).map_err(error)?;
        Ok(())
    }

    /// Runs `job` in a transaction. A durable one also saves what the engine needs
    /// to open the file fast after a crash.
    fn write_with(
        &self,
        durability: Durability,
        job: impl FnOnce(&WriteTransaction) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.with(|database| {
            let mut write = database.begin_write().map_err(error)?;
            write.set_durability(durability).map_err(error)?;
            write.set_quick_repair(matches!(durability, Durability::Immediate));
            job(&write)?;
            write.commit().map_err(error)
        })
    }

    fn with<T>(&self, job: impl FnOnce(&Database) -> Result<T, Error>) -> Result<T, Error> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        job(database.as_ref().ok_or_else(|| Error::closed(FILE))?)
    }
}

/// The format of the file; `None` if it is new.
fn format(database: &Database) -> Result<Option<u64>, Error> {
    let read = database.begin_read().map_err(error)?;
    match read.open_table(FORMATS) {
        Ok(formats) => Ok(formats.get(FILE).map_err(error)?.map(|it| it.value())),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(other) => Err(error(other)),
    }
}

/// Makes the tables.
fn prepare(write: &WriteTransaction) -> Result<(), Error> {
    write.open_table(RECORDS).map_err(error)?;
    write.open_table(META).map_err(error)?;
    let mut formats = write.open_table(FORMATS).map_err(error)?;
    formats.insert(FILE, FORMAT).map_err(error)?;
    Ok(())
}

/// What a record is called on the disk. The slots of the last operations are
/// numbers, which tell nothing and are better kept side by side.
fn name(keys: &RecordKeys, table: Table, key: &[u8]) -> Name {
    let mut name = [table.code(); NAME_LEN + 1];
    if let Some((_, rest)) = name.split_first_mut() {
        match (table, key.len() <= NAME_LEN) {
            (Table::Recent, true) => {
                rest.fill(0);
                for (byte, from) in rest.iter_mut().zip(key) {
                    *byte = *from;
                }
            }
            _ => rest.copy_from_slice(&keys.name(table.code(), key)),
        }
    }
    name
}

/// The content of a record: length of the key (4 bytes, big-endian), key, value.
fn join(key: &[u8], value: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
    Zeroizing::new([&length.to_be_bytes(), key, value].concat())
}

/// The inverse of [`join`].
fn split(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = content.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

fn error(source: impl Into<redb::Error>) -> Error {
    Error::new(FILE, source)
}

fn seal_error(source: keystead_crypto::Error) -> Error {
    Error::Seal { file: FILE, source }
}
