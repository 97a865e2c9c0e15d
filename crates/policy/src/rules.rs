//! Policies of MinIO KMS: which actions an identity may do, on what (MinIO KMS
//! protocol, sections 0.3 and 6.3).
//!
//! An [`Action`] is a command with its argument's kind of name; [`Rules`] map actions to
//! [`Pattern`]s to allow and to deny. A deny rule always wins, and what no rule allows
//! is refused. [`Rules::decide`] answers without allocating and says why, for the audit
//! record.

mod action;
mod decision;
mod pattern;
mod table;
#[cfg(test)]
mod tests;

pub use action::Action;
pub use decision::{Decision, Reason};
pub use pattern::{InvalidPattern, Pattern};
use table::Table;

/// The rules of one policy; their order is irrelevant.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Rules {
    allow: Table,
    deny: Table,
}

impl Rules {
    /// Takes the patterns of each action to allow and to deny. Patterns of an action
    /// that comes twice are united; empty patterns mean nothing and are left out.
    ///
    /// # Errors
    /// [`InvalidPattern`] for the first pattern that is none.
    pub fn new<'a, A, D, P, Q>(allow: A, deny: D) -> Result<Self, InvalidPattern>
    where
        A: IntoIterator<Item = (u16, P)>,
        D: IntoIterator<Item = (u16, Q)>,
        P: IntoIterator<Item = &'a str>,
        Q: IntoIterator<Item = &'a str>,
    {
        Ok(Self {
            allow: Table::new(allow)?,
            deny: Table::new(deny)?,
        })
    }

    /// Decides one action on one argument, which D27 names for each command.
    #[must_use]
    pub fn decide(&self, action: Action, argument: &str) -> Decision<'_> {
        if let Some(pattern) = self.deny.find(action, argument) {
            return Decision::Denied(Reason::Deny { action, pattern });
        }
        match self.allow.find(action, argument) {
            Some(pattern) => Decision::Allowed(Reason::Allow { action, pattern }),
            None => Decision::Denied(Reason::NoRule { action }),
        }
    }

    /// Decides whether a listing may be asked for at all: not if no pattern allows the
    /// action or `*` denies it (D28). What it shows is up to [`shows`](Self::shows).
    ///
    /// The reason names the shortest pattern.
    #[must_use]
    pub fn decide_listing(&self, action: Action) -> Decision<'_> {
        let mut denied = self.deny.patterns(action).iter();
        if let Some(pattern) = denied.find(|pattern| pattern.matches_all()) {
            return Decision::Denied(Reason::Deny { action, pattern });
        }
        match self.allow.patterns(action).first() {
            Some(pattern) => Decision::Allowed(Reason::Allow { action, pattern }),
            None => Decision::Denied(Reason::NoRule { action }),
        }
    }

    /// Whether a listing shows the item of this name (D28).
    #[must_use]
    pub fn shows(&self, action: Action, item: &str) -> bool {
        self.decide(action, item).is_allowed()
    }

    /// Whether a listing shows every item, so that nothing needs to be filtered.
    #[must_use]
    pub fn shows_all(&self, action: Action) -> bool {
        self.deny.patterns(action).is_empty()
            && self.allow.patterns(action).iter().any(Pattern::matches_all)
    }

    /// The patterns to allow, by ascending code of the action.
    pub fn allow(&self) -> impl Iterator<Item = (u16, &[Pattern])> {
        self.allow.iter()
    }

    /// The patterns to deny, by ascending code of the action.
    pub fn deny(&self) -> impl Iterator<Item = (u16, &[Pattern])> {
        self.deny.iter()
    }
}
