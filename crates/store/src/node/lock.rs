use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process;
use std::sync::{Mutex, PoisonError};

use super::OpenError;

const FILE: &str = "lock";

/// A directory that belongs to this process. The operating system releases it when
/// the process ends, however that happens.
pub(super) struct Lock(Mutex<Option<File>>);

// === impl Lock ===

impl Lock {
    pub(super) fn acquire(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join(FILE);
        let error = |source| OpenError::Directory {
            path: path.clone(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(error)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse {
                    path: dir.to_owned(),
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(error(source)),
        }
        write_holder(&mut file).map_err(error)?;
        Ok(Self(Mutex::new(Some(file))))
    }

    pub(super) fn release(&self) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(file.take());
    }
}

fn write_holder(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", process::id())
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.read_to_string(&mut text);
    match text.trim().parse::<u32>() {
        Ok(id) if read.is_ok() => format!(" (process {id})"),
        _ => String::new(),
    }
}
