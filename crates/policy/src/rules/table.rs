use std::collections::{BTreeMap, BTreeSet};

use super::{Action, InvalidPattern, Pattern};

/// The patterns of each action, both in order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Table(Box<[(u16, Box<[Pattern]>)]>);

impl Table {
    pub(super) fn new<'a, P>(
        rules: impl IntoIterator<Item = (u16, P)>,
    ) -> Result<Self, InvalidPattern>
    where
        P: IntoIterator<Item = &'a str>,
    {
        let mut table: BTreeMap<u16, BTreeSet<Pattern>> = BTreeMap::new();
        for (code, patterns) in rules {
            let entry = table.entry(code).or_default();
            for pattern in patterns.into_iter().filter(|text| !text.is_empty()) {
                entry.insert(pattern.parse()?);
            }
        }
        let rows = table
            .into_iter()
            .map(|(code, patterns)| (code, patterns.into_iter().collect()));
        Ok(Self(rows.collect()))
    }

    /// The first pattern of the action that covers `argument`.
    pub(super) fn find(&self, action: Action, argument: &str) -> Option<&Pattern> {
        self.patterns(action)
            .iter()
            .find(|pattern| pattern.matches(argument))
    }

    pub(super) fn patterns(&self, action: Action) -> &[Pattern] {
        self.0
            .binary_search_by_key(&action.code, |(code, _)| *code)
            .ok()
            .and_then(|at| self.0.get(at))
            .map_or(&[], |(_, patterns)| patterns)
    }

    /// Actions without patterns included, as they were written.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, &[Pattern])> {
        self.0.iter().map(|(code, patterns)| (*code, &**patterns))
    }
}
