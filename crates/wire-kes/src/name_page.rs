use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{CONTENT_TYPE_NDJSON, Error, ListPattern, Name, Subject, decode_response, document};

/// A page of a key listing stays below this many bytes, because clients read at most
/// 1 MiB (decision D17).
const PAGE_LIMIT: usize = 1_000_000;

/// One page of a listing of keys, policies or identities.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NamePage {
    /// The names, sorted bytewise.
    pub names: Vec<String>,
    /// The pattern that asks for the next page; `None` on the last one. Only key
    /// listings have more than one page.
    pub continue_at: Option<String>,
}

/// More than the page without its names takes: punctuation, and a continuation of a
/// prefix and a name of at most 80 bytes each.
const FRAME: usize = 200;

// === impl NamePage ===

impl NamePage {
    /// The largest number of names that a page can hold, all of one character: what
    /// to ask a key store for.
    pub const MAX_NAMES: usize = PAGE_LIMIT / 4;

    /// The first page of the key names in `sorted` that `pattern` asks for.
    ///
    /// `sorted` must be sorted bytewise. The next page begins with a valid name,
    /// because no other can be asked for; key stores may hold names that break the
    /// rules.
    #[must_use]
    pub fn of_keys(pattern: &ListPattern, sorted: impl IntoIterator<Item = String>) -> Self {
        let mut names = Vec::new();
        let mut room = PAGE_LIMIT - FRAME;
        for name in sorted.into_iter().filter(|name| pattern.matches(name)) {
            let len = json_len(&name);
            names.push(name);
            match room.checked_sub(len) {
                Some(rest) => room = rest,
                None => return Self::cut(pattern, names),
            }
        }
        Self {
            names,
            continue_at: None,
        }
    }

    /// Ends a page that has become too long before its last valid name.
    fn cut(pattern: &ListPattern, mut names: Vec<String>) -> Self {
        while let Some(next) = names.pop() {
            // An empty page would continue at itself for ever.
            if Name::is_valid(&next) && !names.is_empty() {
                let continue_at = Some(pattern.continue_at(&next));
                return Self { names, continue_at };
            }
        }
        Self::default()
    }

    /// Writes the body for a listing of `subject`.
    #[must_use]
    pub fn encode(&self, subject: Subject) -> Bytes {
        #[derive(Serialize)]
        struct Keys<'a> {
            names: &'a [String],
            #[serde(skip_serializing_if = "Option::is_none")]
            continue_at: Option<&'a str>,
        }

        #[derive(Serialize)]
        struct Policies<'a> {
            names: &'a [String],
            continue_at: &'a str,
        }

        #[derive(Serialize)]
        struct Identities<'a> {
            identities: &'a [String],
            continue_at: &'a str,
        }

        let names = self.names.as_slice();
        let continue_at = self.continue_at.as_deref();
        match subject {
            Subject::Key => document::line(&Keys { names, continue_at }),
            Subject::Policy => document::line(&Policies {
                names,
                continue_at: continue_at.unwrap_or_default(),
            }),
            Subject::Identity => document::line(&Identities {
                identities: names,
                continue_at: continue_at.unwrap_or_default(),
            }),
        }
    }

    /// Reads a listing of keys, policies or identities from a server of any release.
    ///
    /// Servers up to 2023-10-03 send one object per line and say so in the
    /// `Content-Type`.
    ///
    /// # Errors
    ///
    /// [`Error::Response`] if the document has another shape, [`Error::Listing`] if
    /// such an old server broke the listing off.
    pub fn decode(content_type: Option<&str>, body: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Document {
            #[serde(default, alias = "identities")]
            names: Option<Vec<String>>,
            #[serde(default)]
            continue_at: Option<String>,
        }

        if content_type == Some(CONTENT_TYPE_NDJSON) {
            return Self::decode_lines(body);
        }
        let Document { names, continue_at } = decode_response(body)?;
        Ok(Self {
            names: names.unwrap_or_default(),
            continue_at: continue_at.filter(|pattern| !pattern.is_empty()),
        })
    }

    fn decode_lines(body: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Line {
            #[serde(default, alias = "identity")]
            name: String,
            #[serde(default)]
            error: String,
        }

        let mut names = Vec::new();
        for line in serde_json::Deserializer::from_slice(body).into_iter::<Line>() {
            let line = line.map_err(|error| Error::response(&error))?;
            if !line.error.is_empty() {
                return Err(Error::Listing {
                    message: line.error,
                });
            }
            names.push(line.name);
        }
        Ok(Self {
            names,
            continue_at: None,
        })
    }
}

/// What a name adds to the document; an upper bound for names that need escapes.
fn json_len(name: &str) -> usize {
    let longest_escape = if Name::is_valid(name) {
        1
    } else {
        r"\u0000".len()
    };
    name.len() * longest_escape + r#""","#.len()
}
