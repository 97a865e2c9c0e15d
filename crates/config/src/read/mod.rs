//! Typed values out of a tree, every one with its origin.
//!
//! A reader takes values in the order in which they are validated. It does not
//! stop at the first fault: a value that cannot be decoded anywhere in the
//! document counts before a value that is decoded and then found wrong, and of
//! several such faults the first in the document counts.

mod field;
mod reader;
mod secret;
mod section;

pub(crate) use self::field::{Field, Place};
pub(crate) use self::reader::{Reader, UnknownKeys};
pub(crate) use self::section::{Expansion, Section, nearest};
