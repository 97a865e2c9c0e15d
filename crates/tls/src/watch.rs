//! Notices when files change.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keystead_crypto::sha256;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::Error;

/// Files are often written in several steps; they count as written when nothing happens
/// for so long.
const QUIET: Duration = Duration::from_millis(200);

/// A folder in which something always happens is looked at after so long.
const PATIENCE: Duration = Duration::from_secs(2);

type Digest = [u8; 32];

/// Watches the content of files and directories.
///
/// What counts is the content, not the time stamp. Folders are watched instead of files, so
/// that a file may be replaced, be absent for a while, or stand behind a symbolic link that
/// is swapped, as Kubernetes does with `..data`.
pub struct FileWatch {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
    contents: BTreeMap<PathBuf, Option<Digest>>,
    events: Arc<Notify>,
    /// Something happened that has not been looked into: [`Self::changed`] was cancelled.
    pending: bool,
}

impl FileWatch {
    /// Starts watching `paths`, which need not exist yet.
    ///
    /// # Errors
    ///
    /// [`Error::Watch`] if the operating system offers no more watches.
    pub fn new(paths: impl IntoIterator<Item = PathBuf>) -> Result<Self, Error> {
        let events = Arc::new(Notify::new());
        let sender = Arc::clone(&events);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading is an event, too; on an error anything may have happened.
            if !event.is_ok_and(|event| event.kind.is_access()) {
                sender.notify_one();
            }
        })?;
        let mut watch = Self {
            watcher,
            folders: BTreeSet::new(),
            contents: BTreeMap::new(),
            events,
            pending: false,
        };
        watch.watch(paths)?;
        Ok(watch)
    }

    /// Watches `paths` from now on instead of what was watched before.
    ///
    /// # Errors
    ///
    /// [`Error::Watch`] if the operating system offers no more watches.
    pub fn watch(&mut self, paths: impl IntoIterator<Item = PathBuf>) -> Result<(), Error> {
        let contents: BTreeMap<_, _> = paths.into_iter().map(|path| (path, None)).collect();
        self.contents = contents;
        self.follow()?;
        for (path, digest) in &mut self.contents {
            *digest = content(path);
        }
        Ok(())
    }

    /// Waits until the content of some paths differs from what it was, and says which.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// [`Error::Watch`] if the operating system offers no more watches.
    pub async fn changed(&mut self) -> Result<Vec<PathBuf>, Error> {
        loop {
            if !self.pending {
                self.events.notified().await;
                self.pending = true;
            }
            let quiet = async { while timeout(QUIET, self.events.notified()).await.is_ok() {} };
            timeout(PATIENCE, quiet).await.ok();
            // Folders may have come, gone or moved behind a link.
            self.follow()?;
            self.pending = false;
            let changed = self.compare();
            if !changed.is_empty() {
                return Ok(changed);
            }
        }
    }

    /// The paths whose content differs from what it was, which it is from now on.
    fn compare(&mut self) -> Vec<PathBuf> {
        let mut changed = Vec::new();
        for (path, known) in &mut self.contents {
            let current = content(path);
            if current != *known {
                *known = current;
                changed.push(path.clone());
            }
        }
        changed
    }

    /// Watches the folders that matter now, and no others.
    fn follow(&mut self) -> Result<(), Error> {
        let folders: BTreeSet<_> = self
            .contents
            .keys()
            .flat_map(|path| folders(path))
            .collect();
        for gone in self.folders.difference(&folders) {
            // It may well not exist any more.
            self.watcher.unwatch(gone).ok();
        }
        for folder in &folders {
            match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                Err(error) if folder.exists() => return Err(error.into()),
                _ => {}
            }
        }
        self.folders = folders;
        Ok(())
    }
}

/// The folders in which `path` can change: its own and that of the file behind it, and the
/// path itself if it is a folder.
fn folders(path: &Path) -> impl Iterator<Item = PathBuf> {
    let target = fs::canonicalize(path).ok();
    let parents = [Some(path), target.as_deref()].map(|path| path.and_then(nearest_parent));
    let itself = path.is_dir().then(|| path.to_owned());
    parents.into_iter().chain([itself]).flatten()
}

/// The closest folder above `path` that exists.
fn nearest_parent(path: &Path) -> Option<PathBuf> {
    path.ancestors()
        .skip(1)
        .map(|parent| {
            if parent.as_os_str().is_empty() {
                Path::new(".")
            } else {
                parent
            }
        })
        .find(|parent| parent.is_dir())
        .map(Path::to_owned)
}

/// A digest of a file, or of the files in a folder with their names.
fn content(path: &Path) -> Option<Digest> {
    if !path.is_dir() {
        return fs::read(path).ok().map(|content| sha256(&content));
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).ok()?.flatten() {
        let content = fs::read(entry.path()).map_or_else(|_| [0; 32], |file| sha256(&file));
        entries.push([sha256(entry.file_name().as_encoded_bytes()), content]);
    }
    entries.sort_unstable();
    let entries: Vec<u8> = entries.into_iter().flatten().flatten().collect();
    Some(sha256(&entries))
}
