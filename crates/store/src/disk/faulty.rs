//! A disk in memory that fails on demand, as disks do.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::{Builder, Database, DatabaseError, StorageBackend};

use super::Disk;

/// What a write tears at.
const SECTOR: usize = 512;

/// Numbers that look random and can be had again.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

/// Files in memory. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultyDisk(Arc<Mutex<Files>>);

#[derive(Debug, Default)]
struct Files {
    files: BTreeMap<&'static str, File>,
    /// Goes up with a crash: whoever opened a file before has lost it.
    boot: u64,
    faults: Faults,
    /// Syncs of all files so far.
    syncs: u64,
}

/// What goes wrong from now on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// The sync of this number, and all after it, fails.
    pub(crate) failing_sync: Option<u64>,
    /// Bytes that all files together may have.
    pub(crate) capacity: Option<usize>,
    /// Writes that still succeed, although the files have their length already.
    pub(crate) writes_left: Option<usize>,
}

/// A file as programs see it, and as it is after a power cut.
#[derive(Debug, Default)]
struct File {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// Since the last sync.
    writes: Vec<(Range<usize>, Vec<u8>)>,
}

#[derive(Debug)]
struct Handle {
    disk: FaultyDisk,
    file: &'static str,
    boot: u64,
}

// === impl Dice ===

impl Dice {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let number = usize::try_from((z ^ (z >> 31)) >> 1).unwrap();
        number % limit.max(1)
    }
}

// === impl FaultyDisk ===

impl FaultyDisk {
    pub(crate) fn set_faults(&self, faults: Faults) {
        self.files().faults = faults;
    }

    /// How often files were synced.
    pub(crate) fn syncs(&self) -> u64 {
        self.files().syncs
    }

    /// Bytes of all files.
    pub(crate) fn used(&self) -> usize {
        self.files().used()
    }

    /// Cuts the power: what was not synced is there or not, sector by sector.
    pub(crate) fn crash(&self, dice: &mut Dice) {
        let mut files = self.files();
        files.boot += 1;
        files.faults = Faults::default();
        for file in files.files.values_mut() {
            let mut content = std::mem::take(&mut file.durable);
            content.resize(file.seen.len(), 0);
            for (range, bytes) in file.writes.drain(..) {
                for (index, sector) in bytes.chunks(SECTOR).enumerate() {
                    let start = range.start + index * SECTOR;
                    let place = content.get_mut(start..start + sector.len());
                    if let Some(place) = place.filter(|_| dice.below(2) == 0) {
                        place.copy_from_slice(sector);
                    }
                }
            }
            file.seen = content.clone();
            file.durable = content;
        }
    }

    /// A copy as it is after a crash that lost nothing that was written.
    pub(crate) fn copy(&self) -> Self {
        let files = self.files();
        let copies = files.files.iter().map(|(name, file)| {
            let copy = File {
                seen: file.seen.clone(),
                durable: file.seen.clone(),
                writes: Vec::new(),
            };
            (*name, copy)
        });
        Self(Arc::new(Mutex::new(Files {
            files: copies.collect(),
            ..Files::default()
        })))
    }

    pub(crate) fn len(&self, file: &'static str) -> usize {
        self.files().files[file].seen.len()
    }

    pub(crate) fn flip(&self, file: &'static str, byte: usize, bit: usize) {
        let mut files = self.files();
        let file = files.files.get_mut(file).unwrap();
        file.seen[byte] ^= 1 << bit;
        file.durable = file.seen.clone();
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap()
    }
}

impl Disk for FaultyDisk {
    fn open(&self, file: &'static str, builder: &Builder) -> Result<Database, DatabaseError> {
        let mut files = self.files();
        files.files.entry(file).or_default();
        let boot = files.boot;
        drop(files);
        builder.create_with_backend(Handle {
            disk: self.clone(),
            file,
            boot,
        })
    }

    fn has(&self, file: &'static str) -> bool {
        self.files().files.contains_key(file)
    }

    fn remove(&self, file: &'static str) -> io::Result<()> {
        self.files().files.remove(file);
        Ok(())
    }
}

// === impl Files ===

impl Files {
    fn used(&self) -> usize {
        self.files.values().map(|file| file.seen.len()).sum()
    }
}

// === impl Handle ===

impl Handle {
    fn with<T>(&self, job: impl FnOnce(&mut Files) -> io::Result<T>) -> io::Result<T> {
        let mut files = self.disk.files();
        if files.boot != self.boot {
            return Err(io::Error::other("the power was cut"));
        }
        job(&mut files)
    }
}

fn place(offset: u64, length: usize) -> Range<usize> {
    let start = usize::try_from(offset).unwrap();
    start..start + length
}

impl StorageBackend for Handle {
    fn len(&self) -> io::Result<u64> {
        self.with(|files| Ok(u64::try_from(files.files[self.file].seen.len()).unwrap()))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.with(|files| {
            let content = &files.files[self.file].seen;
            let bytes = content.get(place(offset, out.len()));
            out.copy_from_slice(bytes.ok_or(ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(|files| {
            let len = usize::try_from(len).unwrap();
            let used = files.used() - files.files[self.file].seen.len();
            if files.faults.capacity.is_some_and(|it| used + len > it) {
                return Err(ErrorKind::StorageFull.into());
            }
            let file = files.files.get_mut(self.file).unwrap();
            file.seen.resize(len, 0);
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.with(|files| {
            files.syncs += 1;
            if files
                .faults
                .failing_sync
                .is_some_and(|it| files.syncs >= it)
            {
                return Err(io::Error::other("input/output error"));
            }
            let file = files.files.get_mut(self.file).unwrap();
            file.durable = file.seen.clone();
            file.writes.clear();
            Ok(())
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.with(|files| {
            match &mut files.faults.writes_left {
                Some(0) => return Err(ErrorKind::StorageFull.into()),
                Some(left) => *left -= 1,
                None => {}
            }
            let file = files.files.get_mut(self.file).unwrap();
            let range = place(offset, data.len());
            let target = file.seen.get_mut(range.clone());
            target
                .ok_or(ErrorKind::UnexpectedEof)?
                .copy_from_slice(data);
            file.writes.push((range, data.to_vec()));
            Ok(())
        })
    }
}
