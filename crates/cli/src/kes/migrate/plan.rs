use std::collections::BTreeSet;

use glob::Pattern;

use super::copy::{Conflict, Copier, Outcome};
use super::failure::Failure;

/// What is to be done about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The target does not have it.
    Copy,
    /// The target has it with the same value.
    Present,
    /// The target has it with another value.
    Differs,
    /// The source does not have it after all.
    Gone,
}

/// The names to migrate.
pub(super) struct Names {
    /// Ascending, each with whether the target lists it, too.
    pub(super) all: Vec<(String, bool)>,
}

// === impl Names ===

impl Names {
    /// Lists both key stores.
    pub(super) async fn read(copier: &Copier, pattern: &Pattern) -> Result<Self, Failure> {
        let names = copier.source.names().await.map_err(Failure::Source)?;
        let taken = copier.target.names().await?;
        let taken: BTreeSet<_> = taken.into_iter().collect();
        let all = names.into_iter().filter(|name| pattern.matches(name));
        Ok(Self {
            all: all
                .map(|name| {
                    let is_taken = taken.contains(&name);
                    (name, is_taken)
                })
                .collect(),
        })
    }
}

// === impl Step ===

impl Step {
    /// What a migration would come to.
    pub(super) fn foresee(self, conflict: Conflict) -> Outcome {
        match (self, conflict) {
            (Self::Copy, _) => Outcome::Migrated,
            (Self::Present, _) => Outcome::Present,
            (Self::Gone, _) => Outcome::Gone,
            (Self::Differs, Conflict::Replace) => Outcome::Replaced,
            (Self::Differs, Conflict::Keep) => Outcome::Skipped,
            (Self::Differs, Conflict::Fail) => Outcome::Conflict,
        }
    }

    /// Whether the target is written to.
    pub(super) fn is_write(self, conflict: Conflict) -> bool {
        matches!(
            self.foresee(conflict),
            Outcome::Migrated | Outcome::Replaced
        )
    }
}
