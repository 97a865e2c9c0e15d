use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio::task;
use tokio::time::Instant;
use zeroize::Zeroizing;

use self::directory::Directory;
use crate::{Error, KeyStore};

mod directory;
#[cfg(test)]
mod tests;

/// System calls that may be under way at once. A dead network file system
/// blocks each of them for ever; this keeps it from taking all threads.
const CONCURRENCY: usize = 64;

/// One file per key in one folder (key stores, section 3).
///
/// A file appears under its name complete and durable or not at all, whenever
/// the process is killed, and is never written again. Several servers may share
/// the folder.
pub struct FileStore {
    directory: Arc<Directory>,
    permits: Arc<Semaphore>,
}

impl FileStore {
    /// Opens a folder. It is created with its parents if absent, and freed of
    /// the temporary files that killed servers left behind.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] if the path is not a folder or cannot become one.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let directory = task::spawn_blocking(|| Directory::open(path))
            .await
            .map_err(Error::failed)??;
        Ok(Self {
            directory: Arc::new(directory),
            permits: Arc::new(Semaphore::new(CONCURRENCY)),
        })
    }

    /// Calls the file system on a thread that may block.
    ///
    /// The permit goes along, because dropping the future does not end the call.
    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Directory) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(Error::failed)?;
        let directory = Arc::clone(&self.directory);
        task::spawn_blocking(move || {
            let _permit = permit;
            call(&directory)
        })
        .await
        .map_err(Error::failed)?
    }
}

#[async_trait]
impl KeyStore for FileStore {
    fn description(&self) -> String {
        format!("Filesystem: {}", self.directory.path().display())
    }

    async fn status(&self) -> Result<Duration, Error> {
        let asked = Instant::now();
        self.blocking(Directory::status).await?;
        Ok(asked.elapsed())
    }

    async fn create(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        let (name, value) = (name.to_owned(), Zeroizing::new(value.to_vec()));
        self.blocking(move |directory| directory.create(&name, &value))
            .await
    }

    async fn get(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let name = name.to_owned();
        self.blocking(move |directory| directory.read(&name)).await
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.blocking(move |directory| directory.delete(&name))
            .await
    }

    async fn list(&self, prefix: &str, start: &str, limit: usize) -> Result<Vec<String>, Error> {
        let (prefix, start) = (prefix.to_owned(), start.to_owned());
        self.blocking(move |directory| directory.list(&prefix, &start, limit))
            .await
    }

    async fn close(&self) {}
}
