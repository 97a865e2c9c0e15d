use crate::Pattern;

/// The rules of one policy; their order is irrelevant.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Policy {
    /// Paths that may be requested.
    pub allow: Vec<Pattern>,
    /// Paths that may not be requested, whatever `allow` says.
    pub deny: Vec<Pattern>,
}

/// The rule that settles a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict<'a> {
    Allow(&'a Pattern),
    Deny(&'a Pattern),
    Unmatched,
}

// === impl Policy ===

impl Policy {
    /// Whether everything this policy permits is permitted by `other`, too.
    ///
    /// Every allow pattern must be matched, read as a path, by an allow pattern of
    /// `other`; and whatever `other` denies within it must be denied here (KES
    /// protocol, section 4.6).
    #[must_use]
    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.allow.iter().all(|allowed| {
            first_match(&other.allow, &[allowed.as_str()]).is_some()
                && other
                    .deny
                    .iter()
                    .filter(|denied| denied.matches(allowed.as_str()))
                    .all(|denied| first_match(&self.deny, &[denied.as_str()]).is_some())
        })
    }

    /// Judges the spellings of one path.
    pub(crate) fn judge(&self, paths: &[&str]) -> Verdict<'_> {
        if let Some(pattern) = first_match(&self.deny, paths) {
            return Verdict::Deny(pattern);
        }
        first_match(&self.allow, paths).map_or(Verdict::Unmatched, Verdict::Allow)
    }
}

fn first_match<'a>(patterns: &'a [Pattern], paths: &[&str]) -> Option<&'a Pattern> {
    patterns
        .iter()
        .find(|pattern| paths.iter().any(|path| pattern.matches(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allow: &[&str], deny: &[&str]) -> Policy {
        let patterns = |texts: &[&str]| texts.iter().copied().map(Pattern::from).collect();
        Policy {
            allow: patterns(allow),
            deny: patterns(deny),
        }
    }

    #[test]
    fn subset_follows_allow_and_deny() {
        let wide = policy(&["/v1/key/*"], &[]);
        let narrow = policy(&["/v1/key/create/my-*", "/v1/key/list"], &[]);
        assert!(policy(&[], &[]).is_subset_of(&narrow));
        assert!(narrow.is_subset_of(&wide));
        assert!(narrow.is_subset_of(&narrow));
        assert!(!wide.is_subset_of(&narrow));
        assert!(!policy(&["*"], &[]).is_subset_of(&wide));
    }

    #[test]
    fn subset_must_repeat_the_denials_within_it() {
        let guarded = policy(&["/v1/*"], &["/v1/key/*"]);
        let inside = policy(&["/v1/key/create/a"], &[]);
        let outside = policy(&["/v1/status"], &[]);
        assert!(!inside.is_subset_of(&guarded));
        assert!(outside.is_subset_of(&guarded));
        assert!(policy(&["/v1/key/create/a"], &["/v1/key/*"]).is_subset_of(&guarded));
        assert!(!policy(&["/v1/key/create/a"], &["/v1/key/create/b"]).is_subset_of(&guarded));
    }
}
