use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{document, time};

/// What a server tells about a policy.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DescribePolicy {
    /// The name of the policy.
    pub name: String,
    /// When the server started, if known.
    #[serde(default, with = "time")]
    pub created_at: Option<Timestamp>,
    /// The admin as configured; empty if unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub created_by: String,
}

/// A policy with its rules.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ReadPolicy {
    /// The name of the policy; servers up to v0.22 do not send it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Patterns of paths that may be requested.
    #[serde(default, skip_serializing_if = "Rules::is_empty")]
    pub allow: Rules,
    /// Patterns of paths that may not be requested.
    #[serde(default, skip_serializing_if = "Rules::is_empty")]
    pub deny: Rules,
    /// When the server started, if known.
    #[serde(default, with = "time")]
    pub created_at: Option<Timestamp>,
    /// The admin as configured; empty if unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub created_by: String,
}

/// Path patterns: on the wire an object whose names they are, and an array of text
/// up to 2023-10-03.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Rules(BTreeSet<String>);

/// The value of a rule, `{}`: it has no properties yet.
#[derive(Deserialize, Serialize)]
struct Rule {}

// === impl DescribePolicy ===

impl DescribePolicy {
    /// Writes the body.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        document::line(self)
    }
}

// === impl ReadPolicy ===

impl ReadPolicy {
    /// Writes the body.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        document::line(self)
    }
}

// === impl Rules ===

impl Rules {
    /// Whether there is no pattern.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The patterns, sorted bytewise.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl<T: Into<String>> FromIterator<T> for Rules {
    fn from_iter<I: IntoIterator<Item = T>>(patterns: I) -> Self {
        Self(patterns.into_iter().map(Into::into).collect())
    }
}

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Object(BTreeMap<String, Option<Rule>>),
            Array(BTreeSet<String>),
            Null(()),
        }

        Ok(Self(match Form::deserialize(deserializer)? {
            Form::Object(rules) => rules.into_keys().collect(),
            Form::Array(patterns) => patterns,
            Form::Null(()) => BTreeSet::new(),
        }))
    }
}

impl Serialize for Rules {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|pattern| (pattern, Rule {})))
    }
}
