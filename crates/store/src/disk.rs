//! The two database files, behind one door for faults.
//!
//! A database may fail, find itself damaged, or panic over a page it cannot
//! make sense of. All three come out as an [`Error`] with the file and the next
//! step, and after the first of them nobody goes on with that file.

mod error;
#[cfg(test)]
pub(crate) mod faulty;
mod folder;

use std::io;

use redb::{Builder, Database, DatabaseError};

pub(crate) use error::Error;
pub(crate) use folder::Folder;

/// Where database files come from. Tests put faults in between.
pub(crate) trait Disk: Send + Sync {
    /// Opens the database of the name `file`, or makes it.
    fn open(&self, file: &'static str, builder: &Builder) -> Result<Database, DatabaseError>;

    /// Whether the file is there.
    fn has(&self, file: &'static str) -> bool;

    /// Removes the file, if it is there.
    fn remove(&self, file: &'static str) -> io::Result<()>;
}

/// Opens `file` and verifies the checksum of each of its pages.
pub(crate) fn open(
    disk: &dyn Disk,
    file: &'static str,
    cache_bytes: usize,
) -> Result<Database, Error> {
    let mut builder = Database::builder();
    builder
        .set_cache_size(cache_bytes)
        .set_check_integrity_on_open(true);
    disk.open(file, &builder)
        .map_err(|error| Error::new(file, error))
}

/// Runs `job` on `file` where it may wait for the disk, and turns its panic into
/// an error.
pub(crate) async fn blocking<T: Send + 'static>(
    file: &'static str,
    job: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(job).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => {
            Err(Error::damaged(file, "the database engine gave up on it"))
        }
        Err(_) => Err(Error::damaged(file, "the program is shutting down")),
    }
}
