//! What can be wrong with a configuration.

use std::{fmt, path::PathBuf};

use crate::{Origin, Position};

/// A configuration that cannot be used.
///
/// The first line of the text is the short message of the KES configuration
/// format, word for word; the lines below it say where the fault is, where the
/// value came from and what to write instead. No text contains a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("open {}: {cause}", path.display())]
    Unreadable {
        /// The configuration file.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The file is no YAML, or more than a configuration needs.
    #[error("{0}")]
    Syntax(Box<Diagnostic>),
    /// A list stands where a text is expected, a word where a duration is.
    #[error("{0}")]
    Type(Box<Diagnostic>),
    /// A `${NAME}` refers to a variable that is not set.
    #[error("{0}")]
    Variable(Box<Diagnostic>),
    /// The file of a `*_file` key cannot be read.
    #[error("{0}")]
    SecretFile(Box<Diagnostic>),
    /// A value is missing, out of range or contradicts another one.
    #[error("{0}")]
    Value(Box<Diagnostic>),
}

/// A fault in a configuration with all a person needs to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The short message.
    pub message: String,
    /// The key with those around it, such as `tls.key`; empty for the whole
    /// document.
    pub path: String,
    /// Where the value came from.
    pub origin: Origin,
    /// What to write instead.
    pub advice: String,
}

/// Something odd in a configuration that does not keep it from being used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What is odd, on one line.
    pub message: String,
    /// The key with those around it, such as `policy.minio.allow[2]`.
    pub path: String,
    /// Where the value came from.
    pub origin: Origin,
}

// === impl Error ===

impl Error {
    /// The fault in detail, unless the file could not be read at all.
    #[must_use]
    pub fn diagnostic(&self) -> Option<&Diagnostic> {
        match self {
            Self::Unreadable { .. } => None,
            Self::Syntax(diagnostic)
            | Self::Type(diagnostic)
            | Self::Variable(diagnostic)
            | Self::SecretFile(diagnostic)
            | Self::Value(diagnostic) => Some(diagnostic),
        }
    }

    /// Where in the file the fault is.
    #[must_use]
    pub fn position(&self) -> Option<&Position> {
        self.diagnostic()?.origin.position()
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  at {}", self.message, self.origin)?;
        if !self.path.is_empty() {
            write!(f, ", {}", self.path)?;
        }
        if !self.advice.is_empty() {
            write!(f, "\n  {}", self.advice)?;
        }
        Ok(())
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.origin, self.path, self.message)
    }
}
