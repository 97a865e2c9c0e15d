//! A value with its place.

use crate::{Diagnostic, Error, Origin};

/// A value and where it came from.
#[derive(Clone)]
pub(crate) struct Field<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// A key and the origin of its value. For a missing key the origin is the
/// mapping it is missing from.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) path: String,
    pub(crate) origin: Origin,
}

impl<T> Field<T> {
    pub(crate) fn map<U>(self, convert: impl FnOnce(T) -> U) -> Field<U> {
        Field {
            value: convert(self.value),
            place: self.place,
        }
    }
}

impl Place {
    /// The fault of a value that is missing, out of range or contradictory.
    pub(crate) fn value_error(&self, message: String, advice: &str) -> Error {
        Error::Value(self.diagnostic(message, advice))
    }

    /// The fault of a value that does not have the type of its key.
    pub(crate) fn type_error(&self, message: String, advice: &str) -> Error {
        Error::Type(self.diagnostic(message, advice))
    }

    pub(crate) fn diagnostic(&self, message: String, advice: &str) -> Box<Diagnostic> {
        Box::new(Diagnostic {
            message,
            path: self.path.clone(),
            origin: self.origin.clone(),
            advice: advice.to_owned(),
        })
    }
}
