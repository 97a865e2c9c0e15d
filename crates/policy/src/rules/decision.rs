use std::fmt;

use super::{Action, Pattern};

/// The answer to one command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision<'a> {
    /// The command may proceed.
    Allowed(Reason<'a>),
    /// The command is refused.
    Denied(Reason<'a>),
}

/// Why a command was allowed or refused.
///
/// Its text is for the audit record and never goes to the client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Reason<'a> {
    /// The caller is the root identity.
    Root,
    /// The caller is an admin of the enclave.
    Admin,
    /// The caller asks about itself (D21).
    Own,
    /// A pattern allows it.
    Allow {
        /// What was asked for.
        action: Action,
        /// The pattern that matched.
        pattern: &'a Pattern,
    },
    /// A pattern denies it.
    Deny {
        /// What was asked for.
        action: Action,
        /// The pattern that matched.
        pattern: &'a Pattern,
    },
    /// No pattern of the caller's policy covers it.
    NoRule {
        /// What was asked for.
        action: Action,
    },
    /// The caller has no policy.
    NoPolicy,
    /// The caller showed no certificate, or is registered nowhere.
    Unknown,
}

// === impl Decision ===

impl<'a> Decision<'a> {
    /// Whether the command may proceed.
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

// === impl Reason ===

/// The text of the audit record (section 0.7), such as `allow KEY:GENERATE my-*`.
impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("root"),
            Self::Admin => f.write_str("admin"),
            Self::Own => f.write_str("own identity"),
            Self::Allow { action, pattern } => write!(f, "allow {action} {pattern}"),
            Self::Deny { action, pattern } => write!(f, "deny {action} {pattern}"),
            Self::NoRule { action } => write!(f, "no rule for {action}"),
            Self::NoPolicy => f.write_str("no policy"),
            Self::Unknown => f.write_str("unknown identity"),
        }
    }
}
