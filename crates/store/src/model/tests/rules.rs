//! D26, D29 and D30.

use std::collections::BTreeMap;

use keystead_wire_kms::ApiError;
use keystead_wire_kms::message::RuleSet;

use super::vectors;
use crate::{rules_from_message, rules_to_message};

fn sets(name: &str, patterns: &[&str]) -> BTreeMap<String, RuleSet> {
    let set = patterns.iter().copied().collect();
    BTreeMap::from([(name.to_owned(), set)])
}

fn texts(list: &serde_json::Value) -> Vec<String> {
    let texts = list.as_array().expect("a list").iter();
    texts
        .map(|text| text.as_str().expect("a text").to_owned())
        .collect()
}

#[test]
fn d26_patterns_are_those_of_the_vectors() {
    let section = &vectors()["decisions"]["policy"];
    let none = BTreeMap::new();
    for pattern in texts(&section["accepted_patterns"]) {
        let allow = sets("KEY:GENERATE", &[&pattern]);
        assert!(rules_from_message(&allow, &none).is_ok(), "{pattern}");
    }
    for pattern in texts(&section["rejected_patterns"]) {
        let sets = sets("KEY:GENERATE", &[&pattern]);
        let refusal = rules_from_message(&none, &sets);
        assert_eq!(refusal.err(), Some(ApiError::INVALID_PATTERN), "{pattern}");
    }
}

#[test]
fn d30_commands_are_those_of_the_vectors() {
    let section = &vectors()["decisions"]["policy"];
    let none = BTreeMap::new();
    for command in texts(&section["rejected_commands"]) {
        let error = rules_from_message(&sets(&command, &["*"]), &none);
        let error = error.expect_err(&command);
        assert_eq!(error.status, 400);
        assert_eq!(error.message, format!("invalid command '{command}'"));
    }
    let aliases = section["aliases"].as_object().expect("an object");
    for (alias, name) in aliases {
        let rules = rules_from_message(&sets(alias, &["a*"]), &none).expect(alias);
        let (allow, deny) = rules_to_message(&rules);
        let name = name.as_str().expect("a text");
        assert_eq!(allow, sets(name, &["a*"]));
        assert!(deny.is_empty());
    }
}

#[test]
fn rules_come_back_in_canonical_order() {
    let allow = sets("KEY:DECRYPT", &["bb", "a*", "a", ""]);
    let deny = sets("KEY:CREATE", &[]);
    let rules = rules_from_message(&allow, &deny).expect("rules");
    let (allow, deny) = rules_to_message(&rules);
    let patterns: Vec<_> = allow["KEY:DECRYPT"].patterns();
    assert_eq!(patterns, ["a", "a*", "bb"]);
    assert_eq!(deny["KEY:CREATE"].patterns(), [""; 0]);
}
