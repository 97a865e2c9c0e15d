use std::str::FromStr;

use crate::Error;
use crate::name::{self, Name};

/// Separates prefix and first name of a continuation; occurs in no name or pattern.
const CONTINUATION: char = '@';

/// Which names a listing asks for: those with a prefix, possibly from a name on.
///
/// The text is empty or `*` for everything, else a literal prefix of at most 80
/// bytes that may end in one `*`, which changes nothing (KES protocol, section 6).
/// The further pages of a long listing are asked for as `<prefix>@<first name>`
/// (decision D17); [`ListPattern::parse`] takes this form, too, and
/// [`ListPattern::parse_plain`] does not.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ListPattern {
    prefix: String,
    start: Option<Name>,
}

// === impl ListPattern ===

impl ListPattern {
    /// Parses a pattern or a continuation, as the key list route does.
    ///
    /// # Errors
    ///
    /// [`Error::ListPattern`] if the text is neither.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let Some((pattern, start)) = text.split_once(CONTINUATION) else {
            return Self::parse_plain(text);
        };
        // What stands before the separator is a prefix, which may end like no pattern
        // does: the names asked for by `my-*` continue at `my-@my-key`.
        let pattern =
            Self::parse_plain(pattern).or_else(|_| Self::parse_plain(&format!("{pattern}*")));
        match (pattern, Name::parse(start)) {
            (Ok(pattern), Ok(start)) => Ok(Self {
                start: Some(start),
                ..pattern
            }),
            _ => Err(Error::ListPattern {
                text: text.to_owned(),
            }),
        }
    }

    /// Parses a pattern, as the policy and identity list routes do.
    ///
    /// # Errors
    ///
    /// [`Error::ListPattern`] if the text is no pattern or a continuation.
    pub fn parse_plain(text: &str) -> Result<Self, Error> {
        let prefix = text.strip_suffix('*').unwrap_or(text);
        // The hyphen rule is about the whole text: `my-*` does not end in a hyphen.
        if text.len() <= name::MAX_LEN
            && name::has_legal_ends(text)
            && name::has_legal_bytes(prefix)
        {
            Ok(Self {
                prefix: prefix.to_owned(),
                start: None,
            })
        } else {
            Err(Error::ListPattern {
                text: text.to_owned(),
            })
        }
    }

    /// The prefix of every name asked for; empty for all names.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The name the listing starts at, if this is a continuation.
    #[must_use]
    pub fn start(&self) -> Option<&Name> {
        self.start.as_ref()
    }

    /// Whether `name` belongs to the listing.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        name.starts_with(&self.prefix)
            && self
                .start
                .as_ref()
                .is_none_or(|start| name >= start.as_str())
    }

    /// The text that asks for the rest of this listing from `start` on.
    #[must_use]
    pub(crate) fn continue_at(&self, start: &str) -> String {
        format!("{}{CONTINUATION}{start}", self.prefix)
    }
}

impl FromStr for ListPattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}
