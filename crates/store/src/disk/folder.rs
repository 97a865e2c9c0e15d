use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use redb::backends::FileBackend;
use redb::{Builder, Database, DatabaseError};

use super::Disk;

/// Database files in a directory, for their owner alone.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }
}

impl Disk for Folder {
    fn open(&self, file: &'static str, builder: &Builder) -> Result<Database, DatabaseError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.0.join(file))
            .map_err(redb::StorageError::from)?;
        builder.create_with_backend(FileBackend::new(file)?)
    }

    fn has(&self, file: &'static str) -> bool {
        self.0.join(file).exists()
    }

    fn remove(&self, file: &'static str) -> io::Result<()> {
        match fs::remove_file(self.0.join(file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
