//! Rule sets as people write them in policy files (MinIO KMS protocol, section 6.4).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::message::{Rule, RuleEntry, RuleSet};

struct RuleSetVisitor;

// === impl RuleSet ===

impl RuleSet {
    /// The patterns in canonical order: shorter ones first, then bytewise.
    #[must_use]
    pub fn patterns(&self) -> Vec<&str> {
        let mut patterns: Vec<_> = self
            .rules
            .iter()
            .map(|entry| entry.pattern.as_str())
            .filter(|pattern| !pattern.is_empty())
            .collect();
        patterns.sort_by_key(|pattern| (pattern.len(), *pattern));
        patterns.dedup();
        patterns
    }
}

/// Empty patterns mean nothing and are left out.
impl<P: Into<String>> FromIterator<P> for RuleSet {
    fn from_iter<I: IntoIterator<Item = P>>(patterns: I) -> Self {
        let patterns = patterns.into_iter().map(Into::into);
        let patterns: BTreeSet<String> = patterns.filter(|pattern| !pattern.is_empty()).collect();
        let rule = Some(Rule {});
        let rules = patterns
            .into_iter()
            .map(|pattern| RuleEntry { pattern, rule });
        Self {
            rules: rules.collect(),
        }
    }
}

/// One pattern is a text, any other number of them an array.
impl Serialize for RuleSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let patterns = self.patterns();
        if let [pattern] = patterns.as_slice() {
            return serializer.serialize_str(pattern);
        }
        let mut array = serializer.serialize_seq(Some(patterns.len()))?;
        for pattern in patterns {
            array.serialize_element(pattern)?;
        }
        array.end()
    }
}

/// A text, an array of texts, an object with patterns as names, or null.
impl<'de> Deserialize<'de> for RuleSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RuleSetVisitor)
    }
}

// === impl RuleSetVisitor ===

impl<'de> Visitor<'de> for RuleSetVisitor {
    type Value = RuleSet;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pattern, an array of patterns, or an object with patterns as names")
    }

    fn visit_unit<E>(self) -> Result<RuleSet, E> {
        Ok(RuleSet::default())
    }

    fn visit_str<E>(self, pattern: &str) -> Result<RuleSet, E> {
        Ok([pattern].into_iter().collect())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<RuleSet, A::Error> {
        let mut patterns: Vec<String> = Vec::new();
        while let Some(pattern) = array.next_element()? {
            patterns.push(pattern);
        }
        Ok(patterns.into_iter().collect())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<RuleSet, A::Error> {
        let mut patterns: Vec<String> = Vec::new();
        // What a rule says is reserved; it must be an object or null all the same.
        while let Some((pattern, _)) =
            object.next_entry::<String, Option<BTreeMap<String, IgnoredAny>>>()?
        {
            patterns.push(pattern);
        }
        Ok(patterns.into_iter().collect())
    }
}
