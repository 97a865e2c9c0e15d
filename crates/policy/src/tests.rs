//! The golden vectors of patterns and decisions.

use std::collections::BTreeMap;

use keystead_identity::Identity;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Pattern, Policy, PolicySet, spellings};

#[derive(Deserialize)]
struct Match {
    pattern: String,
    path: String,
    #[serde(rename = "match")]
    matches: bool,
}

#[derive(Deserialize)]
struct Verify {
    allow: Vec<String>,
    deny: Vec<String>,
    requests: BTreeMap<String, bool>,
}

#[derive(Deserialize)]
struct ListRoute {
    allow: Vec<String>,
    deny: Vec<String>,
    path: String,
    allowed: bool,
}

#[test]
fn policy_match() {
    for case in section::<Match>("policy_match") {
        assert_eq!(
            Pattern::new(&*case.pattern).matches(&case.path),
            case.matches,
            "{} {}",
            case.pattern,
            case.path
        );
    }
}

#[test]
fn policy_verify() {
    for case in section::<Verify>("policy_verify") {
        let policies = policies(&case.allow, &case.deny);
        for (path, allowed) in &case.requests {
            let decision = policies.decide(Some(&user()), &[path]);
            assert_eq!(decision.is_allowed(), *allowed, "{path}: {decision}");
        }
    }
}

#[test]
fn list_route_policy() {
    for case in section::<ListRoute>("list_route_policy") {
        let policies = policies(&case.allow, &case.deny);
        let decision = policies.decide(Some(&user()), spellings(&case.path).as_slice());
        assert_eq!(
            decision.is_allowed(),
            case.allowed,
            "{}: {decision}",
            case.path
        );
    }
}

fn section<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let mut sections: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/vectors/kes.json")).unwrap();
    let vectors: Vec<T> = serde_json::from_value(sections[name].take()).unwrap();
    println!("vectors: {name}: {}", vectors.len());
    assert!(!vectors.is_empty());
    vectors
}

fn policies(allow: &[String], deny: &[String]) -> PolicySet {
    let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::new(&**text)).collect();
    let policy = Policy {
        allow: patterns(allow),
        deny: patterns(deny),
    };
    PolicySet::new(Identity::from("disabled"))
        .with_policy("minio", policy, [user()])
        .unwrap()
}

fn user() -> Identity {
    Identity::from("user")
}
