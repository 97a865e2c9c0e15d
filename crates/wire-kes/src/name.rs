use std::fmt;
use std::str::FromStr;

use crate::Error;

/// The longest name and list pattern, in bytes.
pub(crate) const MAX_LEN: usize = 80;

/// The name of a key or policy, or an identity in a request path.
///
/// 1 to 80 bytes of `0-9 A-Z a-z _ -`, where `-` is neither first nor last, and not
/// the single character `_` (KES protocol, section 6).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Name(String);

/// What a name is the name of, as error texts call it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Subject {
    /// `key name`
    Key,
    /// `policy name`
    Policy,
    /// `identity`
    Identity,
}

/// Whether the text is not `_` and has a hyphen neither first nor last.
pub(crate) fn has_legal_ends(text: &str) -> bool {
    text != "_" && !text.starts_with('-') && !text.ends_with('-')
}

/// Whether only characters of names occur.
pub(crate) fn has_legal_bytes(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

// === impl Name ===

impl Name {
    /// Parses a name.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] if the text breaks a rule.
    pub fn parse(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        if Self::is_valid(&text) {
            Ok(Self(text))
        } else {
            Err(Error::Name { text })
        }
    }

    /// Whether `text` is a name; for paths that must not allocate.
    #[must_use]
    pub fn is_valid(text: &str) -> bool {
        (1..=MAX_LEN).contains(&text.len()) && has_legal_ends(text) && has_legal_bytes(text)
    }

    /// The text of the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

// === impl Subject ===

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key name",
            Self::Policy => "policy name",
            Self::Identity => "identity",
        })
    }
}
