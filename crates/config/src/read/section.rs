//! Typed access to the keys of one mapping.

use std::{
    cell::RefCell,
    fmt::Display,
    path::{Path, PathBuf},
    time::Duration,
};

use keystead_crypto::Secret;

use super::{Field, Place, Reader, UnknownKeys, secret};
use crate::{
    Error, GoDuration, Origin, SecretSource,
    tree::{Entry, Kind, Mark, Node, Value},
};

/// One mapping of a document, present or not.
///
/// It remembers the keys it was asked for; every other key it has is warned
/// about or refused. So what is read and what is known can never differ.
pub(crate) struct Section<'r> {
    reader: &'r Reader<'r>,
    path: String,
    /// The mapping, or the one around it if it is missing.
    mark: Mark,
    entries: &'r [Entry],
    known: RefCell<Vec<&'static str>>,
}

/// Whether a `${NAME}` is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expansion {
    /// It is, if it makes up the whole scalar.
    Variables,
    /// It is not.
    None,
}

// === impl Section ===

impl<'r> Section<'r> {
    pub(super) fn of(reader: &'r Reader<'r>, path: String, node: &'r Node) -> Self {
        Self {
            entries: entries(reader, &path, node),
            reader,
            path,
            mark: node.mark,
            known: RefCell::default(),
        }
    }

    fn missing(&self, key: &'static str) -> Self {
        Self {
            reader: self.reader,
            path: self.path_of(key),
            mark: self.mark,
            entries: &[],
            known: RefCell::default(),
        }
    }

    // --- scalars; an empty text counts as absent

    /// A text.
    pub(crate) fn text(&self, key: &'static str) -> Option<Field<String>> {
        let node = self.node(key)?;
        let field = self.reader.text(&self.path_of(key), node)?;
        (!field.value.is_empty()).then_some(field)
    }

    /// A text in which variables are not replaced.
    pub(crate) fn literal(&self, key: &'static str) -> Option<Field<String>> {
        let node = self.node(key)?;
        let field = self.reader.literal(&self.path_of(key), node)?;
        (!field.value.is_empty()).then_some(field)
    }

    /// A text, or the value of the key `<key>_file`: the content of the file
    /// without the line break at its end.
    pub(crate) fn secret(
        &self,
        key: &'static str,
        file_key: &'static str,
    ) -> Option<Field<Secret>> {
        let text = self.text(key);
        let file = self.file(file_key);
        let Some(file) = file else {
            return text.map(|field| field.map(Secret::new));
        };
        if text.is_some() {
            let message = format!("both '{key}' and '{file_key}' are specified");
            self.wrong(&file.place, message, "keep one of the two");
            return None;
        }
        match secret::read(&file) {
            Ok(secret) => {
                self.reader.originate(&secret.place);
                (!secret.value.expose().is_empty()).then_some(secret)
            }
            Err(error) => {
                self.reader.undecodable(error);
                None
            }
        }
    }

    /// A secret in one of its two forms. A file must be readable now and is read again
    /// whenever the secret is needed.
    pub(crate) fn secret_source(
        &self,
        key: &'static str,
        file_key: &'static str,
    ) -> Option<Field<SecretSource>> {
        let secret = self.secret(key, file_key)?;
        let file = match &secret.place.origin {
            Origin::SecretFile { path, .. } => Some(SecretSource::File(path.clone())),
            _ => None,
        };
        Some(secret.map(|secret| file.unwrap_or(SecretSource::Value(secret))))
    }

    /// The path of a file or folder, which is noted.
    pub(crate) fn file(&self, key: &'static str) -> Option<Field<PathBuf>> {
        let field = self.text(key)?.map(PathBuf::from);
        self.reader.refer(&field.value);
        Some(field)
    }

    /// PEM text, or the path of a file or folder with it, which is noted.
    pub(crate) fn pem(&self, key: &'static str) -> Option<SecretSource> {
        let text = self.text(key)?.value;
        if text.contains("-----BEGIN ") {
            return Some(SecretSource::Value(Secret::new(text)));
        }
        let path = PathBuf::from(text);
        self.reader.refer(&path);
        Some(SecretSource::File(path))
    }

    /// A truth in the words of YAML 1.1 and 1.2.
    pub(crate) fn truth(&self, key: &'static str) -> Option<Field<bool>> {
        let parse = |word: &str| match word.to_ascii_lowercase().as_str() {
            "y" | "yes" | "on" | "true" => Ok(true),
            "n" | "no" | "off" | "false" => Ok(false),
            _ => Err("expected true or false"),
        };
        self.decoded(key, parse, "write 'true' or 'false'")
    }

    /// A positive duration; zero counts as absent. `message` is the text for
    /// one below zero.
    pub(crate) fn interval(
        &self,
        key: &'static str,
        message: impl FnOnce(GoDuration) -> String,
    ) -> Option<Duration> {
        let advice = "write a number with its unit, such as 500ms, 15s, 5m or 1h30m";
        let field = self.decoded(key, str::parse::<GoDuration>, advice)?;
        let Some(interval) = field.value.to_duration() else {
            let message = message(field.value);
            self.wrong(&field.place, message, "write a duration above zero");
            return None;
        };
        (!interval.is_zero()).then_some(interval)
    }

    /// A scalar of a type that not every text has; an empty text is no value
    /// of it.
    fn decoded<T, E: Display>(
        &self,
        key: &'static str,
        decode: impl FnOnce(&str) -> Result<T, E>,
        advice: &str,
    ) -> Option<Field<T>> {
        let node = self.node(key)?;
        let Field { value, place } = self.reader.text(&self.path_of(key), node)?;
        match decode(&value) {
            Ok(value) => Some(Field { value, place }),
            Err(fault) => {
                let error = place.type_error(fault.to_string(), advice);
                self.reader.undecodable(error);
                None
            }
        }
    }

    /// A value that must be there. `message` and `advice` are for when it is
    /// not.
    pub(crate) fn require<T>(
        &self,
        key: &'static str,
        field: Option<Field<T>>,
        message: &str,
        advice: &str,
    ) -> Result<Field<T>, Error> {
        field.ok_or_else(|| self.wrong(&self.place_of(key), message.to_owned(), advice))
    }

    /// A text that must be there.
    pub(crate) fn required(
        &self,
        key: &'static str,
        message: &str,
        advice: &str,
    ) -> Result<String, Error> {
        self.require(key, self.text(key), message, advice)
            .map(|field| field.value)
    }

    /// A secret that must be there, in one of its two forms. A file must be
    /// readable now and is read again whenever the secret is needed.
    pub(crate) fn required_secret_source(
        &self,
        key: &'static str,
        file_key: &'static str,
        message: &str,
        advice: &str,
    ) -> Result<SecretSource, Error> {
        self.require(key, self.secret_source(key, file_key), message, advice)
            .map(|field| field.value)
    }

    // --- collections; `null` counts as absent

    /// A list of texts; `null` entries are empty texts.
    pub(crate) fn texts(&self, key: &'static str, expansion: Expansion) -> Vec<Field<String>> {
        let mut fields = Vec::new();
        for (path, node) in self.list(key) {
            let empty = || Field {
                value: String::new(),
                place: self.reader.place(&path, node.mark),
            };
            let field = match expansion {
                Expansion::Variables => self.reader.text(&path, node),
                Expansion::None => self.reader.literal(&path, node),
            };
            fields.push(field.unwrap_or_else(empty));
        }
        fields
    }

    /// Several texts that one place of the original has room for: a text in which
    /// commas separate them, or a list of such texts. Empty ones do not count.
    pub(crate) fn several(&self, key: &'static str) -> Vec<Field<String>> {
        let is_list = self
            .entry(key)
            .is_some_and(|entry| matches!(entry.value.value, Value::List(_)));
        let fields = if is_list {
            self.texts(key, Expansion::Variables)
        } else {
            self.text(key).into_iter().collect()
        };
        let mut several = Vec::new();
        for field in fields {
            let texts = field.value.split(',').map(str::trim);
            several.extend(texts.filter(|text| !text.is_empty()).map(|text| Field {
                value: text.to_owned(),
                place: field.place.clone(),
            }));
        }
        several
    }

    /// A list of mappings.
    pub(crate) fn items<T>(
        &self,
        key: &'static str,
        mut read: impl FnMut(&Section<'r>) -> T,
    ) -> Vec<T> {
        self.list(key)
            .map(|(path, node)| Section::of(self.reader, path, node).read(&mut read))
            .collect()
    }

    /// A mapping; a missing one is read as an empty one.
    pub(crate) fn section<T>(&self, key: &'static str, read: impl FnOnce(&Section<'r>) -> T) -> T {
        let section = match self.node(key) {
            Some(node) => Section::of(self.reader, self.path_of(key), node),
            None => self.missing(key),
        };
        section.read(read)
    }

    /// A mapping that may be missing; `{}` is present.
    pub(crate) fn optional<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Section<'r>) -> T,
    ) -> Option<T> {
        let node = self.node(key)?;
        if matches!(node.value, Value::Null) {
            return None;
        }
        Some(Section::of(self.reader, self.path_of(key), node).read(read))
    }

    /// A mapping whose keys are names.
    pub(crate) fn named<T>(
        &self,
        key: &'static str,
        mut read: impl FnMut(Field<String>, &Section<'r>) -> T,
    ) -> Vec<T> {
        let path = self.path_of(key);
        let entries = match self.node(key) {
            Some(node) => entries(self.reader, &path, node),
            None => &[],
        };
        entries
            .iter()
            .map(|entry| {
                let path = join(&path, &entry.key);
                let name = Field {
                    value: entry.key.clone(),
                    place: self.reader.place(&path, entry.mark),
                };
                Section::of(self.reader, path, &entry.value).read(|section| read(name, section))
            })
            .collect()
    }

    /// Whether a key is present, whatever it holds but `null`.
    pub(crate) fn has(&self, key: &'static str) -> bool {
        self.node(key)
            .is_some_and(|node| !matches!(node.value, Value::Null))
    }

    /// Whether a key holds a mapping.
    pub(crate) fn has_mapping(&self, key: &'static str) -> bool {
        self.node(key)
            .is_some_and(|node| matches!(node.value, Value::Map(_)))
    }

    // --- findings

    /// Notes a fault and hands it out for `?`.
    pub(crate) fn wrong(&self, place: &Place, message: String, advice: &str) -> Error {
        self.reader.wrong(place.value_error(message, advice))
    }

    /// Notes a fault of the section as a whole.
    pub(crate) fn wrong_here(&self, message: &str, advice: &str) -> Error {
        self.wrong(&self.place(), message.to_owned(), advice)
    }

    /// Notes something odd.
    pub(crate) fn warn(&self, place: Place, message: impl Into<String>) {
        self.reader.warn(place, message.into());
    }

    /// Notes a file that is not named in the document.
    pub(crate) fn refer(&self, path: &Path) {
        self.reader.refer(path);
    }

    /// A value the command line gives for a key.
    pub(crate) fn command_line<T>(
        &self,
        key: &'static str,
        option: &'static str,
        value: T,
    ) -> Field<T> {
        let place = Place {
            path: self.path_of(key),
            origin: Origin::CommandLine(option),
        };
        self.reader.originate(&place);
        Field { value, place }
    }

    /// The place of the section.
    pub(crate) fn place(&self) -> Place {
        self.reader.place(&self.path, self.mark)
    }

    /// The place of a key; of a missing one, that of the section.
    pub(crate) fn place_of(&self, key: &str) -> Place {
        let mark = self.entry(key).map_or(self.mark, |entry| entry.mark);
        self.reader.place(&self.path_of(key), mark)
    }

    // --- inside

    /// Runs `read` and warns about every key it did not ask for, or refuses it.
    pub(crate) fn read<T>(self, read: impl FnOnce(&Self) -> T) -> T {
        let value = read(&self);
        let known = self.known.borrow();
        for entry in self.entries {
            if known.contains(&entry.key.as_str()) {
                continue;
            }
            let near = nearest(&entry.key, known.iter().copied());
            let place = self.place_of(&entry.key);
            match (self.reader.unknown_keys(), near) {
                (UnknownKeys::Warned, Some(key)) => {
                    let message = format!("unknown key, ignored; did you mean '{key}'?");
                    self.warn(place, message);
                }
                (UnknownKeys::Warned, None) => self.warn(place, "unknown key, ignored"),
                (UnknownKeys::Refused(elsewhere), near) => {
                    let advice = self.advice(&entry.key, near, elsewhere, &known);
                    let message = format!("unknown key '{}'", place.path);
                    // What is missing may stand there under a misspelt name.
                    self.reader.undecodable(place.value_error(message, &advice));
                }
            }
        }
        value
    }

    /// What to write in place of an unknown key.
    fn advice(
        &self,
        key: &str,
        near: Option<&str>,
        elsewhere: &[&str],
        known: &[&'static str],
    ) -> String {
        if let Some(near) = near {
            return format!("did you mean '{}'?", self.path_of(near));
        }
        let names = elsewhere.iter().map(|path| last_segment(path));
        match nearest(key, names) {
            Some(name) => {
                let found = elsewhere.iter().find(|path| last_segment(path) == name);
                format!("did you mean '{}'?", found.unwrap_or(&name))
            }
            None if known.is_empty() => "remove it".to_owned(),
            None => format!("known here: {}", known.join(", ")),
        }
    }

    /// The value of a key, which is known from now on.
    fn node(&self, key: &'static str) -> Option<&'r Node> {
        self.known.borrow_mut().push(key);
        self.entry(key).map(|entry| &*entry.value)
    }

    fn entry(&self, key: &str) -> Option<&'r Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    fn list(&self, key: &'static str) -> impl Iterator<Item = (String, &'r Node)> {
        let path = self.path_of(key);
        let items = match self.node(key).map(|node| (node, &node.value)) {
            Some((_, Value::List(items))) => items.as_slice(),
            None | Some((_, Value::Null)) => &[],
            Some((node, Value::Text(_) | Value::Map(_))) => {
                self.reader.mismatch(&path, node, Kind::List);
                &[]
            }
        };
        items
            .iter()
            .enumerate()
            .map(move |(index, node)| (format!("{path}[{index}]"), &**node))
    }

    fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }
}

fn entries<'r>(reader: &Reader<'_>, path: &str, node: &'r Node) -> &'r [Entry] {
    match &node.value {
        Value::Map(entries) => entries,
        Value::Null => &[],
        Value::Text(_) | Value::List(_) => {
            reader.mismatch(path, node, Kind::Map);
            &[]
        }
    }
}

fn last_segment(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// The path of a key. Control characters in a key cannot break a log line.
fn join(path: &str, key: &str) -> String {
    let key = key.escape_debug();
    if path.is_empty() {
        key.to_string()
    } else {
        format!("{path}.{key}")
    }
}

/// The candidate a misspelt word probably stands for.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    let limit = |candidate: &str| 1.max(candidate.len() / 3);
    candidates
        // Long words would cost the distance much time and memory.
        .filter(|candidate| word.len().abs_diff(candidate.len()) <= limit(candidate))
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= limit(candidate))
        .min()
        .map(|(_, candidate)| candidate)
}
