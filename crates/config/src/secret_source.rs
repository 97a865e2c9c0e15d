use std::io;
use std::path::{Path, PathBuf};

use keystead_crypto::Secret;

use crate::text_file;

/// Where a secret is that may change while a program runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// The secret itself.
    Value(Secret),
    /// A file that is read again whenever the secret is needed.
    File(PathBuf),
}

// === impl SecretSource ===

impl SecretSource {
    /// The secret as it is now. One line break at the end of a file does not
    /// belong to it.
    ///
    /// # Errors
    ///
    /// Those of the file system; `InvalidData` if the file is larger than 1 MiB
    /// or no UTF-8.
    pub fn read(&self) -> io::Result<Secret> {
        match self {
            Self::Value(secret) => Ok(secret.clone()),
            Self::File(path) => read_file(path),
        }
    }
}

/// The secret in a file.
pub(crate) fn read_file(path: &Path) -> io::Result<Secret> {
    let content = text_file::read(path)?;
    let text = content.strip_suffix('\n').unwrap_or(&content);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok(Secret::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_read_anew_every_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let source = SecretSource::File(path.clone());
        assert!(source.read().is_err());
        for (content, secret) in [
            ("one", "one"),
            ("two\r\n", "two"),
            (" three \n\n", " three \n"),
        ] {
            fs::write(&path, content).unwrap();
            assert_eq!(source.read().unwrap().expose(), secret);
        }
        assert!(!format!("{source:?}").contains("three"));
    }
}
