use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Rules;
use crate::{document, time};

/// What a server tells about an identity.
///
/// The admin has neither policy nor creator.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DescribeIdentity {
    /// Whether the identity is the admin.
    #[serde(default, skip_serializing_if = "is_false")]
    pub admin: bool,
    /// The name of its policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// When the server started, if known.
    #[serde(default, with = "time")]
    pub created_at: Option<Timestamp>,
    /// The admin as configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

/// What a server tells its caller about the caller (decision D18).
///
/// The admin has neither creator nor policy nor rules.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DescribeSelf {
    /// The identity of the caller.
    pub identity: String,
    /// Whether the caller is the admin.
    #[serde(default, skip_serializing_if = "is_false")]
    pub admin: bool,
    /// When the server started, if known.
    #[serde(default, with = "time")]
    pub created_at: Option<Timestamp>,
    /// The admin as configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// The name of the caller's policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What the policy allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<Rules>,
    /// What the policy denies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deny: Option<Rules>,
}

/// The form of `skip_serializing_if`.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
pub(super) fn is_false(value: &bool) -> bool {
    !value
}

// === impl DescribeIdentity ===

impl DescribeIdentity {
    /// Writes the body.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        document::line(self)
    }
}

// === impl DescribeSelf ===

impl DescribeSelf {
    /// Writes the body.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        document::line(self)
    }
}
