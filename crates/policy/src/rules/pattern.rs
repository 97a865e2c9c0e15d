use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The longest pattern, in bytes.
const MAX_LEN: usize = 256;

/// Names that a rule covers: exactly one, such as `my-key`, or with a final `*` all
/// that start with the text before it (D26).
///
/// Nothing is normalised and case matters. Patterns are ordered by length, then
/// bytewise, as they are written.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Pattern(Box<str>);

/// A text that is no pattern: empty, longer than 256 bytes, or with `*`, `?`, `[`, `]`
/// or `\` elsewhere than a `*` at its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("invalid pattern")]
pub struct InvalidPattern;

// === impl Pattern ===

impl Pattern {
    /// Whether `name` is covered.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => *self.0 == *name,
        }
    }

    /// Whether every name is covered.
    #[must_use]
    pub fn matches_all(&self) -> bool {
        &*self.0 == "*"
    }

    /// The text of the pattern.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let name = text.strip_suffix('*').unwrap_or(text);
        let legal =
            (1..=MAX_LEN).contains(&text.len()) && !name.contains(['*', '?', '[', ']', '\\']);
        legal.then(|| Self(text.into())).ok_or(InvalidPattern)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Ord for Pattern {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

impl PartialOrd for Pattern {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
