//! Where a value came from.

use std::{fmt, path::PathBuf, sync::Arc};

/// A place in a configuration file. Earlier places are less.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The file as it was named on the command line.
    pub file: Arc<str>,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The file itself.
    File(Position),
    /// The environment variable a `${NAME}` refers to.
    Variable {
        /// Name of the variable.
        name: String,
        /// Place of the reference.
        position: Position,
    },
    /// The content of the file a `*_file` key names.
    SecretFile {
        /// The secret's file.
        path: PathBuf,
        /// Place of the reference.
        position: Position,
    },
    /// An option of the command line, with its dashes.
    CommandLine(&'static str),
}

impl Origin {
    /// The place in the file, unless the value is from the command line.
    #[must_use]
    pub fn position(&self) -> Option<&Position> {
        match self {
            Self::File(position)
            | Self::Variable { position, .. }
            | Self::SecretFile { position, .. } => Some(position),
            Self::CommandLine(_) => None,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(position) => write!(f, "{position}"),
            Self::Variable { name, position } => {
                write!(f, "{position} (value of environment variable {name})")
            }
            Self::SecretFile { path, position } => {
                write!(f, "{position} (content of file {})", path.display())
            }
            Self::CommandLine(option) => write!(f, "command line option {option}"),
        }
    }
}
