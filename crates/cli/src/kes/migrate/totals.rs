use serde::Serialize;

use super::copy::Outcome;

/// What became of all keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Totals {
    /// Keys of the source that match the pattern.
    pub(super) keys: usize,
    pub(super) migrated: usize,
    pub(super) replaced: usize,
    pub(super) present: usize,
    pub(super) skipped: usize,
    pub(super) gone: usize,
    pub(super) conflicts: usize,
    pub(super) failed: usize,
    /// Keys whose turn has not come.
    pub(super) left: usize,
    pub(super) proven: usize,
    pub(super) unprovable: usize,
    pub(super) unproven: usize,
    pub(super) dry_run: bool,
}

// === impl Totals ===

impl Totals {
    pub(super) fn new(keys: usize, dry_run: bool) -> Self {
        Self {
            keys,
            left: keys,
            dry_run,
            ..Self::default()
        }
    }

    /// Counts a key; `None` is one that failed.
    pub(super) fn count(&mut self, outcome: Option<Outcome>) {
        self.left = self.left.saturating_sub(1);
        *match outcome {
            Some(Outcome::Migrated) => &mut self.migrated,
            Some(Outcome::Replaced) => &mut self.replaced,
            Some(Outcome::Present) => &mut self.present,
            Some(Outcome::Skipped) => &mut self.skipped,
            Some(Outcome::Gone) => &mut self.gone,
            Some(Outcome::Conflict) => &mut self.conflicts,
            None => &mut self.failed,
        } += 1;
    }

    /// Keys that were written, or would be.
    pub(super) fn written(&self) -> usize {
        self.migrated + self.replaced
    }

    /// Keys that the target has with the source's value.
    pub(super) fn done(&self) -> usize {
        self.written() + self.present
    }

    /// What a terminal shows in the end.
    pub(super) fn layout(&self) -> String {
        let mut text = match (self.written(), self.dry_run) {
            (0, true) => "Would migrate no keys.\n".to_owned(),
            (keys, true) => format!("Would migrate {keys:>6} keys.\n"),
            (0, false) => "Migration succeeded! No keys migrated.\n".to_owned(),
            (keys, false) => format!("Migrated {keys:>6} keys successfully!\n"),
        };
        for (label, keys, remark) in [
            ("Present", self.present, "were there with the same value"),
            ("Skipped", self.skipped, "keep another value on the target"),
            ("Gone", self.gone, "were listed, but are not there"),
            (
                "Proven",
                self.proven,
                "open on the target what the source sealed",
            ),
            (
                "No proof",
                self.unprovable,
                "are there, but their values are no keys",
            ),
        ] {
            if keys > 0 {
                text += &format!("{label:<8} {keys:>6} {remark}\n");
            }
        }
        text
    }
}
