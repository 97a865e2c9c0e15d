//! A YAML document as a tree in which every node knows its place.

mod build;
#[cfg(test)]
mod tests;

use std::{fmt, rc::Rc};

use zeroize::Zeroizing;

pub(crate) use self::build::parse;

/// Line and column, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// One value of a document. Aliases share the node they refer to.
pub(crate) struct Node {
    pub(crate) mark: Mark,
    pub(crate) value: Value,
    /// Size in bytes with every alias written out.
    weight: usize,
}

/// What a node holds. Scalars stay text until someone asks for a type, so that
/// `on` can be a word or a truth.
pub(crate) enum Value {
    /// `key:`, `null` or `~`.
    Null,
    /// Any other scalar. It may be a password, so it is wiped on drop.
    Text(Zeroizing<String>),
    /// A sequence.
    List(Vec<Rc<Node>>),
    /// A mapping in the order of the document, merge keys resolved.
    Map(Vec<Entry>),
}

/// What a value can be.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Scalar,
    List,
    Map,
}

/// One key of a mapping.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) mark: Mark,
    pub(crate) value: Rc<Node>,
}

/// A document that is no YAML or too much of it.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) message: String,
    pub(crate) advice: &'static str,
    pub(crate) mark: Mark,
}

// === impl Node ===

impl Node {
    /// The value of a key, if this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else {
            return None;
        };
        let entry = entries.iter().find(|entry| entry.key == key)?;
        Some(&entry.value)
    }

    pub(crate) fn is_collection(&self) -> bool {
        matches!(self.value, Value::List(_) | Value::Map(_))
    }
}

// === impl Value ===

impl Value {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Null | Self::Text(_) => Kind::Scalar,
            Self::List(_) => Kind::List,
            Self::Map(_) => Kind::Map,
        }
    }
}

// === impl Kind ===

impl Kind {
    /// How it is written.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Scalar => "write one value behind the key",
            Self::List => "write lines that begin with '- ', or '[a, b]'",
            Self::Map => "write lines of 'key: value', indented",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scalar => "a single value",
            Self::List => "a list",
            Self::Map => "a mapping",
        })
    }
}
