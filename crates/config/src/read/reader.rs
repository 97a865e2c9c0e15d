//! What all sections of one document share.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use super::{Field, Place, Section};
use crate::{
    Environment, Error, Origin, Position, Warning,
    tree::{self, Kind, Mark, Node, SyntaxError, Value},
};

/// Takes typed values from one document.
pub(crate) struct Reader<'r> {
    file: Arc<str>,
    environment: &'r dyn Environment,
    unknown_keys: UnknownKeys,
    findings: RefCell<Findings>,
}

/// What becomes of keys that nobody asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum UnknownKeys {
    /// Each is a warning.
    Warned,
    /// Each is a fault. The paths are those of keys that are often looked for in the
    /// wrong place.
    Refused(&'static [&'static str]),
}

/// What a reader noticed besides the values.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) warnings: Vec<Warning>,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) origins: BTreeMap<String, Origin>,
}

#[derive(Default)]
struct Findings {
    notes: Notes,
    /// The first value in the document that cannot be decoded.
    undecodable: Option<Error>,
    /// The first value that was found wrong.
    wrong: Option<Error>,
}

// === impl Reader ===

impl<'r> Reader<'r> {
    pub(crate) fn new(file: &str, environment: &'r dyn Environment) -> Self {
        Self::with(file, environment, UnknownKeys::Warned)
    }

    pub(crate) fn with(
        file: &str,
        environment: &'r dyn Environment,
        unknown_keys: UnknownKeys,
    ) -> Self {
        Self {
            file: Arc::from(file),
            environment,
            unknown_keys,
            findings: RefCell::default(),
        }
    }

    /// The first document of a text, with its faults as errors.
    pub(crate) fn document(&self, text: &str) -> Result<Rc<Node>, Error> {
        let document = tree::parse(text).map_err(
            |SyntaxError {
                 message,
                 advice,
                 mark,
             }| {
                let message = format!("yaml: line {}: {message}", mark.line);
                Error::Syntax(self.place("", mark).diagnostic(message, advice))
            },
        )?;
        document.ok_or_else(|| {
            let place = self.place("", Mark { line: 1, column: 1 });
            Error::Syntax(place.diagnostic("EOF".to_owned(), "the file is empty"))
        })
    }

    /// The mapping a document consists of.
    pub(crate) fn root(&'r self, document: &'r Node) -> Section<'r> {
        Section::of(self, String::new(), document)
    }

    /// Notes a fault in a value. The fault that counts in the end may be
    /// another one, see [`Reader::finish`].
    pub(crate) fn wrong(&self, error: Error) -> Error {
        self.findings
            .borrow_mut()
            .wrong
            .get_or_insert(error)
            .clone()
    }

    /// Notes a value that cannot be decoded.
    pub(crate) fn undecodable(&self, error: Error) {
        let first = &mut self.findings.borrow_mut().undecodable;
        if first
            .as_ref()
            .is_none_or(|other| error.position() < other.position())
        {
            *first = Some(error);
        }
    }

    pub(crate) fn unknown_keys(&self) -> UnknownKeys {
        self.unknown_keys
    }

    /// Notes something odd.
    pub(crate) fn warn(&self, place: Place, message: String) {
        self.findings.borrow_mut().notes.warnings.push(Warning {
            message,
            path: place.path,
            origin: place.origin,
        });
    }

    /// Notes a file the configuration refers to.
    pub(crate) fn refer(&self, path: &Path) {
        let files = &mut self.findings.borrow_mut().notes.files;
        if !files.iter().any(|file| file == path) {
            files.push(path.to_owned());
        }
    }

    /// Notes where a value came from.
    pub(crate) fn originate(&self, place: &Place) {
        self.findings
            .borrow_mut()
            .notes
            .origins
            .insert(place.path.clone(), place.origin.clone());
    }

    pub(crate) fn position(&self, mark: Mark) -> Position {
        Position {
            file: Arc::clone(&self.file),
            line: mark.line,
            column: mark.column,
        }
    }

    pub(crate) fn place(&self, path: &str, mark: Mark) -> Place {
        Place {
            path: path.to_owned(),
            origin: Origin::File(self.position(mark)),
        }
    }

    /// The text of a scalar as it is written; nothing for `null`.
    pub(crate) fn literal(&self, path: &str, node: &Node) -> Option<Field<String>> {
        let place = self.place(path, node.mark);
        match &node.value {
            Value::Null => None,
            Value::Text(text) => {
                self.originate(&place);
                Some(Field {
                    value: text.to_string(),
                    place,
                })
            }
            Value::List(_) | Value::Map(_) => {
                self.mismatch(path, node, Kind::Scalar);
                None
            }
        }
    }

    /// The text of a scalar, with a `${NAME}` that makes up the whole scalar
    /// replaced by the variable.
    pub(crate) fn text(&self, path: &str, node: &Node) -> Option<Field<String>> {
        let mut field = self.literal(path, node)?;
        let Some(name) = reference(&field.value).map(str::to_owned) else {
            return Some(field);
        };
        let position = self.position(node.mark);
        let Some(value) = self.environment.var(&name) else {
            let line = node.mark.line;
            let message = format!("referenced env. variable '{name}' in line '{line}' not found");
            let advice = format!("set the variable {name}, or write the value itself");
            let fault = Error::Variable(field.place.diagnostic(message, &advice));
            self.undecodable(fault);
            return None;
        };
        field.value = value;
        field.place.origin = Origin::Variable { name, position };
        self.originate(&field.place);
        Some(field)
    }

    /// Notes that a value has another kind than its key.
    pub(crate) fn mismatch(&self, path: &str, node: &Node, expected: Kind) {
        let line = node.mark.line;
        let found = node.value.kind();
        let message = format!("yaml: line {line}: expected {expected}, found {found}");
        let place = self.place(path, node.mark);
        self.undecodable(place.type_error(message, expected.advice()));
    }

    /// Hands out the notes, or the fault that counts.
    pub(crate) fn finish<T>(self, result: Result<T, Error>) -> Result<(T, Notes), Error> {
        let findings = self.findings.into_inner();
        if let Some(error) = findings.undecodable.or(findings.wrong) {
            return Err(error);
        }
        let mut notes = findings.notes;
        notes
            .warnings
            .sort_by(|a, b| a.origin.position().cmp(&b.origin.position()));
        Ok((result?, notes))
    }
}

/// The variable a scalar refers to.
fn reference(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix("${")?.strip_suffix('}')?;
    Some(name.trim())
}
