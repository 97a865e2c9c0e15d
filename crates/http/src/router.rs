//! From the path of a request to its route (KES protocol, section 3.2).

use std::borrow::Cow;
use std::collections::HashMap;

use percent_encoding::percent_decode_str;

/// A table of routes.
///
/// A route that ends in `/` takes one more segment, the resource; every other one is exact.
/// Routes are found by the still encoded segments of a path, so that an encoded slash never
/// separates segments, and judged by the decoded path.
#[derive(Clone, Debug, Default)]
pub struct Router<T> {
    routes: HashMap<Box<str>, Entry>,
    targets: Vec<T>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    target: usize,
    /// Length of the route, behind which the resource starts.
    prefix: usize,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match<'r, 'p, T> {
    /// A route.
    Found(Found<'r, 'p, T>),
    /// The same path without `//`, `/./` and `/../`: answer [`redirect`](crate::redirect).
    Moved(String),
    /// Nothing: answer [`not_found`](crate::not_found).
    NotFound,
    /// The path has broken percent-encoding: answer [`bad_request`](crate::bad_request).
    Malformed,
}

/// A route with the path that led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'r, 'p, T> {
    /// What the route was registered with.
    pub route: &'r T,
    /// The percent-decoded path, which policies match. Bytes that are not UTF-8 became
    /// U+FFFD, which no valid name has.
    pub path: Cow<'p, str>,
    prefix: usize,
}

// === impl Router ===

impl<T> Router<T> {
    /// A table of `routes`; of two with the same path the later one counts.
    pub fn new<P: AsRef<str>>(routes: impl IntoIterator<Item = (P, T)>) -> Self {
        let mut router = Self {
            routes: HashMap::new(),
            targets: Vec::new(),
        };
        for (path, target) in routes {
            let path = path.as_ref();
            let entry = Entry {
                target: router.targets.len(),
                prefix: path.len(),
            };
            router.targets.push(target);
            router.routes.insert(path.into(), entry);
            // Without its slash a resource route is the same with an empty resource: a
            // redirect would turn a POST into a GET.
            if let Some(slashless) = path.strip_suffix('/') {
                router.routes.insert(slashless.into(), entry);
            }
        }
        router
    }

    /// Finds the route of an encoded path without its query.
    pub fn find<'r, 'p>(&'r self, path: &'p str) -> Match<'r, 'p, T> {
        if !path.starts_with('/') {
            return Match::NotFound;
        }
        if let Some(cleaned) = cleaned(path) {
            return Match::Moved(cleaned);
        }
        let (decoded, entry) = if path.contains('%') {
            if !well_encoded(path) {
                return Match::Malformed;
            }
            let entry = decode(path).and_then(|path| self.routes.get(&*path));
            let entry = entry.or_else(|| self.routes.get(&*decode(parent(path))?));
            (percent_decode_str(path).decode_utf8_lossy(), entry)
        } else {
            let entry = self.routes.get(path);
            let entry = entry.or_else(|| self.routes.get(parent(path)));
            (Cow::Borrowed(path), entry)
        };
        let found = entry.and_then(|entry| Some((entry, self.targets.get(entry.target)?)));
        match found {
            Some((entry, route)) => Match::Found(Found {
                route,
                path: decoded,
                prefix: entry.prefix,
            }),
            None => Match::NotFound,
        }
    }
}

// === impl Found ===

impl<T> Found<'_, '_, T> {
    /// The decoded segment behind a resource route; empty on exact routes and where the path
    /// has none.
    pub fn resource(&self) -> &str {
        self.path.get(self.prefix..).unwrap_or_default()
    }
}

/// A path up to and with its last slash.
fn parent(path: &str) -> &str {
    let end = path.rfind('/').map_or(0, |slash| slash + 1);
    path.get(..end).unwrap_or_default()
}

/// Decodes a path in which no segment has an encoded slash.
fn decode(path: &str) -> Option<Cow<'_, str>> {
    let slashes = |path: &[u8]| path.iter().filter(|byte| **byte == b'/').count();
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    (slashes(decoded.as_bytes()) == slashes(path.as_bytes())).then_some(decoded)
}

/// Whether two hexadecimal digits follow every percent sign.
fn well_encoded(path: &str) -> bool {
    path.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// The path without empty and dot segments, if it has any; a last slash stays.
fn cleaned(path: &str) -> Option<String> {
    let segments = || path.split('/').skip(1);
    let last_is_empty = path.ends_with('/');
    let count = segments().count() - usize::from(last_is_empty);
    if segments()
        .take(count)
        .all(|s| !matches!(s, "" | "." | ".."))
    {
        return None;
    }
    let mut kept = Vec::new();
    for segment in segments() {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let mut clean = String::with_capacity(path.len());
    for segment in kept {
        clean.push('/');
        clean.push_str(segment);
    }
    if last_is_empty || clean.is_empty() {
        clean.push('/');
    }
    Some(clean)
}
