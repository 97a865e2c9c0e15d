use std::collections::VecDeque;

use crate::raft::Entry;

/// Entries kept. The engine reads an entry back right after it was written.
const MAX: usize = 64;

/// The last entries of the log, without a gap.
#[derive(Default)]
pub(super) struct Recent(VecDeque<Entry>);

// === impl Recent ===

impl Recent {
    pub(super) fn push(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            let follows = self
                .0
                .back()
                .is_none_or(|last| last.log_id.index.checked_add(1) == Some(entry.log_id.index));
            if !follows {
                self.0.clear();
            }
            self.0.push_back(entry);
            if self.0.len() > MAX {
                self.0.pop_front();
            }
        }
    }

    /// The entries `start..end`, if all of them are here.
    pub(super) fn get(&self, start: u64, end: u64) -> Option<Vec<Entry>> {
        let first = self.0.front()?.log_id.index;
        let from = usize::try_from(start.checked_sub(first)?).ok()?;
        let to = usize::try_from(end.checked_sub(first)?).ok()?;
        (to <= self.0.len()).then(|| {
            let count = to.saturating_sub(from);
            self.0.iter().skip(from).take(count).cloned().collect()
        })
    }

    pub(super) fn truncate(&mut self, since: u64) {
        while self.0.back().is_some_and(|it| it.log_id.index >= since) {
            self.0.pop_back();
        }
    }

    pub(super) fn purge(&mut self, upto: u64) {
        while self.0.front().is_some_and(|it| it.log_id.index <= upto) {
            self.0.pop_front();
        }
    }
}
