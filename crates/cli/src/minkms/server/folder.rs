use std::env;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use keystead_crypto::{Random, SystemRandom, hex};

/// Where a server keeps its state.
pub(super) enum Folder {
    /// For good.
    Kept(PathBuf),
    /// Until the server ends.
    Temporary(PathBuf),
}

// === impl Folder ===

impl Folder {
    /// A new folder that nobody else can read, removed at the end.
    pub(super) fn temporary() -> Result<Self> {
        let mut name = [0; 8];
        SystemRandom.fill(&mut name)?;
        let path = env::temp_dir().join(format!("minkms-dev-{}", hex(&name)));
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("failed to create '{}'", path.display()))?;
        Ok(Self::Temporary(path))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) | Self::Temporary(path) => path,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Self::Temporary(path) = self {
            // What stays behind is encrypted with a key that nobody has any more.
            fs::remove_dir_all(path).ok();
        }
    }
}
