use std::fmt;

/// A pattern of request paths, such as `/v1/key/create/my-*`.
///
/// A pattern that ends in `*` matches every path that starts with the text before
/// that star; the star spans `/` and matches the empty text. Any other pattern
/// matches the identical path only, and the empty pattern matches nothing. No other
/// character is special (KES protocol, section 4.3).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Pattern(String);

// === impl Pattern ===

impl Pattern {
    /// Takes any text as a pattern.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether `path`, percent-decoded and with its leading slash, is covered.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => !self.0.is_empty() && self.0 == path,
        }
    }

    /// Whether the pattern looks like a shell pattern and so matches less than its
    /// author expects: a `*` before the end, a `?` or a `[`.
    ///
    /// Such patterns worked in releases up to 2023-10-03.
    #[must_use]
    pub fn suspicious(&self) -> bool {
        self.0
            .strip_suffix('*')
            .unwrap_or(&self.0)
            .contains(['*', '?', '['])
    }

    /// The text of the pattern.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn warns_about_shell_patterns_only() {
        for text in [
            "/v1/key/*/my",
            "/v1/key/my?",
            "/v1/key/[a-z]*",
            "/v1/**",
            "[*",
        ] {
            assert!(Pattern::new(text).suspicious(), "{text}");
        }
        for text in [
            "",
            "*",
            "/v1/key/list",
            "/v1/key/list/",
            "/v1/key/create/my-*",
        ] {
            assert!(!Pattern::new(text).suspicious(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_final_star_means_prefix(prefix in ".*", rest in ".*", path in ".*") {
            let pattern = Pattern::new(format!("{prefix}*"));
            let continued = format!("{prefix}{rest}");
            prop_assert!(pattern.matches(&continued));
            prop_assert_eq!(pattern.matches(&path), path.starts_with(&prefix));
        }

        #[test]
        fn anything_else_means_itself(text in ".*[^*]", path in ".*") {
            let pattern = Pattern::new(&*text);
            prop_assert!(pattern.matches(&text));
            prop_assert_eq!(pattern.matches(&path), path == text);
        }
    }
}
