/// The list routes. A full listing may be requested in three ways, and guides write
/// any of the three into their policies.
const FULL_LISTINGS: [[&str; 3]; 3] = [
    ["/v1/key/list", "/v1/key/list/", "/v1/key/list/*"],
    ["/v1/policy/list", "/v1/policy/list/", "/v1/policy/list/*"],
    [
        "/v1/identity/list",
        "/v1/identity/list/",
        "/v1/identity/list/*",
    ],
];

/// The equivalent spellings of one request path; see [`spellings`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Spellings<'a>(Kind<'a>);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind<'a> {
    Literal([&'a str; 1]),
    FullListing(&'static [&'static str; 3]),
}

/// The paths under which policies judge a request for `path`.
///
/// A full listing of keys, policies or identities is judged as `/v1/key/list`,
/// `/v1/key/list/` and `/v1/key/list/*` at once, whichever of them was requested.
/// Every other path, listings with a prefix included, stands for itself only (KES
/// protocol, decision D5 and section 4.3).
#[must_use]
pub fn spellings(path: &str) -> Spellings<'_> {
    Spellings(
        FULL_LISTINGS
            .iter()
            .find(|listing| listing.contains(&path))
            .map_or(Kind::Literal([path]), Kind::FullListing),
    )
}

// === impl Spellings ===

impl Spellings<'_> {
    /// The spellings, at least one.
    #[must_use]
    pub fn as_slice(&self) -> &[&str] {
        match &self.0 {
            Kind::Literal(path) => path,
            Kind::FullListing(paths) => *paths,
        }
    }
}
