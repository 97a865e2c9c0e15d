//! How the state comes from the disk to memory: what takes the time of a start.

use std::num::NonZero;
use std::thread;

use redb::{ReadableDatabase, ReadableTable, ReadableTableMetadata};
use zeroize::Zeroizing;

use super::{APPLIED, Applied, FILE, META, Name, RECORDS, Tables, error, split};
use crate::disk::Error;
use crate::seal::{Kind, RecordKeys};
use crate::{Record, State, Table};

/// Sealed records that are opened together.
const CHUNK: usize = 16_384;

type Sealed = (Name, Vec<u8>);

// === impl Tables ===

impl Tables {
    /// Reads the state, verifies it, and says how far it goes.
    pub(crate) fn load(&self) -> Result<(State, Applied), Error> {
        let applied = self.applied()?;
        let mut records = self.records()?;
        // The state is built in the order of names, which the disk does not know.
        records.sort_unstable_by(|a, b| (a.table, &a.key).cmp(&(b.table, &b.key)));
        let state =
            State::load(records).map_err(|reason| Error::damaged(FILE, reason.to_string()))?;
        if state.commit() != applied.commit {
            return Err(Error::damaged(
                FILE,
                "its position in the log is not that of its records",
            ));
        }
        Ok((state, applied))
    }

    fn applied(&self) -> Result<Applied, Error> {
        self.with(|database| {
            let read = database.begin_read().map_err(error)?;
            let meta = read.open_table(META).map_err(error)?;
            let Some(record) = meta.get(APPLIED).map_err(error)? else {
                return Ok(Applied::default());
            };
            let content = self
                .keys
                .load()
                .open(Kind::StateMeta, APPLIED.as_bytes(), record.value())
                .map_err(|reason| Error::damaged(FILE, format!("{APPLIED}: {reason}")))?;
            Applied::decode(&content).map_err(|reason| Error::damaged(FILE, reason.to_string()))
        })
    }

    fn records(&self) -> Result<Vec<Record>, Error> {
        self.with(|database| {
            let read = database.begin_read().map_err(error)?;
            let table = read.open_table(RECORDS).map_err(error)?;
            let count = usize::try_from(table.len().map_err(error)?).unwrap_or(0);
            let mut records = Vec::with_capacity(count);
            let mut chunk: Vec<Sealed> = Vec::with_capacity(CHUNK);
            let keys = self.keys.load();
            for row in table.iter().map_err(error)? {
                let (name, record) = row.map_err(error)?;
                chunk.push((name.value(), record.value().to_vec()));
                if chunk.len() == CHUNK {
                    open_all(&keys, &chunk, &mut records)?;
                    chunk.clear();
                }
            }
            open_all(&keys, &chunk, &mut records)?;
            Ok(records)
        })
    }
}

/// Opens sealed records on all processors.
fn open_all(keys: &RecordKeys, chunk: &[Sealed], records: &mut Vec<Record>) -> Result<(), Error> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let share = chunk.len().div_ceil(workers).max(1);
    let parts: Vec<Result<Vec<Record>, Error>> = thread::scope(|scope| {
        let workers: Vec<_> = chunk
            .chunks(share)
            .map(|part| scope.spawn(|| part.iter().map(|it| open(keys, it)).collect()))
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|_| Err(Error::damaged(FILE, "a record cannot be read")))
            })
            .collect()
    });
    for part in parts {
        records.extend(part?);
    }
    Ok(())
}

fn open(keys: &RecordKeys, (name, record): &Sealed) -> Result<Record, Error> {
    let content = keys
        .open(Kind::State, name, record)
        .map_err(|reason| Error::damaged(FILE, reason.to_string()))?;
    let table = name.first().copied().and_then(Table::from_code);
    let parts = split(&content);
    let (Some(table), Some((key, value))) = (table, parts) else {
        return Err(Error::damaged(FILE, "a record of no known form"));
    };
    Ok(Record {
        table,
        key: key.to_vec(),
        value: Zeroizing::new(value.to_vec()),
    })
}
