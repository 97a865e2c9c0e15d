//! Rules of policies between their messages and what decides.

use std::collections::BTreeMap;

use keystead_policy::rules::{Pattern, Rules};
use keystead_wire_kms::message::{Rule, RuleEntry, RuleSet};
use keystead_wire_kms::{ApiError, Command};

/// Reads the rules of a policy as a client sends them.
///
/// Names of commands are read in any case; those for the cluster and for enclaves are
/// refused, because no policy can grant them (decisions D26, D29 and D30).
///
/// # Errors
///
/// 400 `invalid command '…'`, [`ApiError::INVALID_PATTERN`].
pub fn rules_from_message(
    allow: &BTreeMap<String, RuleSet>,
    deny: &BTreeMap<String, RuleSet>,
) -> Result<Rules, ApiError> {
    Rules::new(by_code(allow)?, by_code(deny)?).map_err(|_| ApiError::INVALID_PATTERN)
}

/// The rules as answers carry them, with the names of commands in upper case.
#[must_use]
pub fn rules_to_message(rules: &Rules) -> (BTreeMap<String, RuleSet>, BTreeMap<String, RuleSet>) {
    (by_name(rules.allow()), by_name(rules.deny()))
}

type Sets<'a> = Vec<(u16, Vec<&'a str>)>;

fn by_code(sets: &BTreeMap<String, RuleSet>) -> Result<Sets<'_>, ApiError> {
    sets.iter()
        .map(|(name, set)| Ok((code(name)?, patterns(set))))
        .collect()
}

fn code(name: &str) -> Result<u16, ApiError> {
    let command: Command = name.parse()?;
    match command.is_cluster_wide() {
        false => Ok(command.code()),
        true => Err(keystead_wire_kms::Error::CommandName { text: name.into() }.into()),
    }
}

fn patterns(set: &RuleSet) -> Vec<&str> {
    set.rules.iter().map(|rule| rule.pattern.as_str()).collect()
}

fn by_name<'a>(rules: impl Iterator<Item = (u16, &'a [Pattern])>) -> BTreeMap<String, RuleSet> {
    let named = rules.filter_map(|(code, patterns)| {
        // Only codes of commands get in, in `code` and when records are read.
        let command = Command::from_code(code)?;
        let rules = patterns.iter().map(|pattern| RuleEntry {
            pattern: pattern.as_str().to_owned(),
            rule: Some(Rule {}),
        });
        let rules = rules.collect();
        Some((command.name().to_owned(), RuleSet { rules }))
    });
    named.collect()
}
