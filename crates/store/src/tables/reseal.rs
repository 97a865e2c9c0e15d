//! Records move to the newest root key while the node serves.

use std::ops::Bound;

use redb::{Durability, ReadableTable};

use super::{APPLIED, FILE, META, Name, RECORDS, Tables, error, seal_error};
use crate::disk::Error;
use crate::seal::{Kind, RecordKeys};

/// Records looked at in one transaction; changes wait that long.
const CHUNK: usize = 1000;

// === impl Tables ===

impl Tables {
    /// Seals the next records after `start` under the newest root key, and says
    /// where to go on; `None` at the end, when all of it is durable.
    pub(crate) fn reseal(&self, start: Option<Name>) -> Result<Option<Name>, Error> {
        let keys = self.keys.load();
        let mut next = None;
        self.write_with(Durability::None, |write| {
            let mut table = write.open_table(RECORDS).map_err(error)?;
            let mut old = Vec::new();
            let from = start.map_or(Bound::Unbounded, Bound::Excluded);
            let rows = table
                .range::<Name>((from, Bound::Unbounded))
                .map_err(error)?;
            for (count, row) in rows.enumerate() {
                let (name, record) = row.map_err(error)?;
                if count == CHUNK {
                    break;
                }
                next = (count.saturating_add(1) == CHUNK).then(|| name.value());
                if !keys.is_current(record.value()) {
                    old.push((name.value(), record.value().to_vec()));
                }
            }
            for (name, record) in old {
                let record = self.resealed(&keys, Kind::State, &name, &record)?;
                table.insert(name, record.as_slice()).map_err(error)?;
            }
            Ok(())
        })?;
        if next.is_none() {
            self.reseal_meta(&keys)?;
        }
        Ok(next)
    }

    fn reseal_meta(&self, keys: &RecordKeys) -> Result<(), Error> {
        self.write_with(Durability::Immediate, |write| {
            let mut meta = write.open_table(META).map_err(error)?;
            let old = meta
                .get(APPLIED)
                .map_err(error)?
                .map(|record| record.value().to_vec());
            if let Some(record) = old.filter(|record| !keys.is_current(record)) {
                let record = self.resealed(keys, Kind::StateMeta, APPLIED.as_bytes(), &record)?;
                meta.insert(APPLIED, record.as_slice()).map_err(error)?;
            }
            Ok(())
        })
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
}
