use std::fs::{self, DirBuilder, DirEntry, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use keystead_wire_kes::Name;
use rustix::fs::{Mode, OFlags};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use crate::Error;

/// The most that is read of a file, in bytes.
const MAX_VALUE: u64 = 1024 * 1024;

/// What names of temporary files begin with. No key name contains a dot.
const TEMPORARY: &str = ".keystead-";

/// How often a create begins anew after its temporary file disappeared.
const ATTEMPTS: usize = 3;

/// The folder of a [`FileStore`](super::FileStore); every call blocks.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn open(path: PathBuf) -> Result<Self, Error> {
        create_durably(&path).map_err(|error| failed("create folder", &path, error))?;
        let directory = Self(path);
        directory.remove_leftovers()?;
        Ok(directory)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn status(&self) -> Result<(), Error> {
        let metadata = fs::metadata(&self.0)
            .map_err(|error| Error::unreachable(format!("{}: {error}", self.0.display())))?;
        if metadata.is_dir() {
            Ok(())
        } else {
            Err(Error::unreachable(format!(
                "{}: not a folder",
                self.0.display()
            )))
        }
    }

    /// Writes a temporary file, makes it durable, and gives it the final name in
    /// one step that fails if the name is taken.
    pub(super) fn create(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        let path = self.file(name)?;
        if fs::symlink_metadata(&path).is_ok() {
            return Err(Error::KeyExists);
        }
        for _ in 0..ATTEMPTS {
            let file = self
                .write_temporary(value)
                .map_err(|error| failed("write a file in", &self.0, error))?;
            match file.persist_noclobber(&path) {
                Ok(_) => return self.sync(),
                Err(error) => match error.error.kind() {
                    ErrorKind::AlreadyExists => return Err(Error::KeyExists),
                    // Another server that started just now took the file for a
                    // leftover before it was locked.
                    ErrorKind::NotFound => {}
                    _ => return Err(failed("create", &path, error.error)),
                },
            }
        }
        let error = io::Error::other("temporary files keep disappearing");
        Err(failed("create", &path, error))
    }

    pub(super) fn read(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let path = self.file(name)?;
        // Without NONBLOCK a named pipe would block until somebody writes to it.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = match rustix::fs::open(&path, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT) => return Err(Error::KeyNotFound),
            Err(error) => return Err(failed("read", &path, error)),
        };
        read_regular(file).map_err(|error| failed("read", &path, error))
    }

    pub(super) fn delete(&self, name: &str) -> Result<(), Error> {
        let path = self.file(name)?;
        match fs::remove_file(&path) {
            Ok(()) => self.sync(),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::KeyNotFound),
            Err(error) => Err(failed("delete", &path, error)),
        }
    }

    pub(super) fn list(
        &self,
        prefix: &str,
        start: &str,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        for entry in self.entries()? {
            let entry = entry.map_err(|error| failed("list", &self.0, error))?;
            if let Ok(name) = entry.file_name().into_string()
                && name.starts_with(prefix)
                && name.as_str() >= start
                && Name::is_valid(&name)
                && is_regular(&entry)
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        names.truncate(limit);
        Ok(names)
    }

    /// The path of a key. Refuses names that could leave the folder or meet a
    /// temporary file.
    fn file(&self, name: &str) -> Result<PathBuf, Error> {
        if name.is_empty() || name.contains(['/', '\\', '.']) {
            return Err(Error::failed("key name contains invalid character"));
        }
        Ok(self.0.join(name))
    }

    fn entries(&self) -> Result<fs::ReadDir, Error> {
        fs::read_dir(&self.0).map_err(|error| failed("list", &self.0, error))
    }

    /// A complete and durable file, readable by its owner only, that is removed
    /// on drop and locked for as long as it is open.
    fn write_temporary(&self, value: &[u8]) -> io::Result<NamedTempFile> {
        let mut file = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .tempfile_in(&self.0)?;
        // Where locks are not supported nobody gets one on a leftover either.
        let _supported = file.as_file().lock();
        file.write_all(value)?;
        file.as_file().sync_all()?;
        Ok(file)
    }

    /// Removes the temporary files of servers that were killed. Those of living
    /// servers are locked.
    fn remove_leftovers(&self) -> Result<(), Error> {
        for entry in self.entries()? {
            let entry = entry.map_err(|error| failed("list", &self.0, error))?;
            if entry
                .file_name()
                .as_encoded_bytes()
                .starts_with(TEMPORARY.as_bytes())
                && entry.file_type().is_ok_and(|kind| kind.is_file())
                && let Ok(file) = File::open(entry.path())
                && file.try_lock().is_ok()
            {
                // It may be gone already, or belong to somebody else; a file
                // that stays does no harm.
                let _removed = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    /// Makes the names in the folder durable.
    fn sync(&self) -> Result<(), Error> {
        // A key whose name could not be made durable is left in place: somebody
        // may have sealed data with it already.
        sync_directory(&self.0).map_err(|error| failed("sync", &self.0, error))
    }
}

/// Creates a folder with its parents, and makes each new name durable in the
/// folder above it.
fn create_durably(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|path| !path.exists()).collect();
    DirBuilder::new().recursive(true).mode(0o755).create(path)?;
    for created in missing {
        match created.parent() {
            Some(parent) if parent.as_os_str().is_empty() => sync_directory(Path::new("."))?,
            Some(parent) => sync_directory(parent)?,
            None => {}
        }
    }
    Ok(())
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Whether an entry is a file or a link to one, as secrets mounted by
/// Kubernetes are.
fn is_regular(entry: &DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| {
        kind.is_file()
            || kind.is_symlink() && fs::metadata(entry.path()).is_ok_and(|target| target.is_file())
    })
}

fn read_regular(file: File) -> io::Result<Zeroizing<Vec<u8>>> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    // Room for the whole value at once: growing would leave a copy behind.
    let capacity = usize::try_from(metadata.len().min(MAX_VALUE)).unwrap_or(0);
    let mut value = Zeroizing::new(Vec::with_capacity(capacity.saturating_add(1)));
    let read = file
        .take(MAX_VALUE.saturating_add(1))
        .read_to_end(&mut value)?;
    if u64::try_from(read).is_ok_and(|read| read <= MAX_VALUE) {
        Ok(value)
    } else {
        Err(io::Error::new(ErrorKind::FileTooLarge, "larger than 1 MiB"))
    }
}

fn failed(action: &str, path: &Path, error: impl Into<io::Error>) -> Error {
    let error = error.into();
    let text = format!("cannot {action} '{}': {error}", path.display());
    match error.kind() {
        ErrorKind::PermissionDenied => Error::denied(text),
        _ => Error::failed(text),
    }
}
