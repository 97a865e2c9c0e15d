use std::fmt;

use crate::Pattern;

/// The answer to one request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision<'a> {
    /// The request may proceed.
    Allowed(Reason<'a>),
    /// The request is refused.
    Denied(Reason<'a>),
}

/// Why a request was allowed or refused.
///
/// Its text completes a sentence for a log line and never goes to the client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Reason<'a> {
    /// The identity is the admin.
    Admin,
    /// A rule of the identity's policy covers the path.
    Rule {
        /// The name of the policy.
        policy: &'a str,
        /// The allow or deny pattern that matched.
        pattern: &'a Pattern,
    },
    /// No rule of the identity's policy covers the path.
    NoMatchingRule {
        /// The name of the policy.
        policy: &'a str,
    },
    /// The identity is assigned to no policy.
    NoPolicy,
    /// The client showed no certificate.
    NoIdentity,
}

// === impl Decision ===

impl<'a> Decision<'a> {
    /// Whether the request may proceed.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Reason<'a> {
        match self {
            Self::Allowed(reason) | Self::Denied(reason) => *reason,
        }
    }
}

impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed(reason) => write!(f, "allowed: {reason}"),
            Self::Denied(reason) => write!(f, "denied: {reason}"),
        }
    }
}

// === impl Reason ===

impl<'a> Reason<'a> {
    /// The policy that was consulted, if any.
    #[must_use]
    pub fn policy(&self) -> Option<&'a str> {
        match self {
            Self::Rule { policy, .. } | Self::NoMatchingRule { policy } => Some(policy),
            Self::Admin | Self::NoPolicy | Self::NoIdentity => None,
        }
    }
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admin => f.write_str("the identity is the admin"),
            Self::Rule { policy, pattern } => {
                write!(f, "rule '{pattern}' of policy '{policy}' matches")
            }
            Self::NoMatchingRule { policy } => {
                write!(f, "no rule of policy '{policy}' matches")
            }
            Self::NoPolicy => f.write_str("the identity has no policy"),
            Self::NoIdentity => f.write_str("the client has no identity"),
        }
    }
}
