//! `policy`

use std::collections::{BTreeMap, HashSet};

use keystead_identity::Identity;
use keystead_policy::{Error as PolicyError, Pattern, Policy};
use keystead_wire_kes::{Name, Subject};

use super::name;
use crate::read::{Expansion, Field, Section};

/// `policy.<name>`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyConfig {
    /// Allow and deny patterns.
    pub rules: Policy,
    /// Identities the policy is assigned to.
    pub identities: Vec<Identity>,
}

/// A policy before its names are checked.
pub(super) struct RawPolicy {
    name: Field<String>,
    rules: Policy,
    identities: Vec<Field<String>>,
}

/// Reads the policies and refuses members that are admin or TLS proxy.
pub(super) fn read(
    root: &Section<'_>,
    admin: Option<&Identity>,
    proxies: &[Identity],
) -> Vec<RawPolicy> {
    root.named("policy", |name, section| {
        let policy = &name.value;
        let mut allow = patterns(section, "allow");
        if section.has("paths") {
            if section.has("allow") {
                let place = section.place_of("paths");
                section.warn(
                    place,
                    "old name of 'allow', ignored because 'allow' is given",
                );
            } else {
                let place = section.place_of("paths");
                section.warn(place, "old name of 'allow'; write 'allow'");
                allow = patterns(section, "paths");
            }
        }
        let deny = patterns(section, "deny");
        let identities = section.texts("identities", Expansion::Variables);
        for Field { value, place } in &identities {
            let identity = Identity::from(value.as_str());
            if Some(&identity) == admin {
                let fault = PolicyError::AlreadyAdmin {
                    policy: policy.clone(),
                    identity,
                };
                let advice = "remove it: the admin needs no policy";
                section.wrong(place, fault.to_string(), advice);
            } else if proxies.contains(&identity) {
                let message = format!(
                    "invalid policy '{policy}': identity '{identity}' is already a TLS proxy"
                );
                section.wrong(place, message, "write the identity of the client");
            }
        }
        RawPolicy {
            name,
            rules: Policy { allow, deny },
            identities,
        }
    })
}

/// Checks names and identities and that nobody has two policies.
pub(super) fn check(root: &Section<'_>, policies: Vec<RawPolicy>) -> BTreeMap<Name, PolicyConfig> {
    let mut assigned = HashSet::new();
    let mut checked = BTreeMap::new();
    for RawPolicy {
        name,
        rules,
        identities,
    } in policies
    {
        let Some(name) = name::check(root, Subject::Policy, name) else {
            continue;
        };
        let mut members = Vec::new();
        for field in identities {
            let place = field.place.clone();
            let Some(identity) = name::check(root, Subject::Identity, field) else {
                continue;
            };
            let identity = Identity::from(identity.as_str());
            if !assigned.insert(identity.clone()) {
                let fault = PolicyError::AlreadyAssigned {
                    policy: name.to_string(),
                    identity: identity.clone(),
                };
                root.wrong(&place, fault.to_string(), "list each identity once");
            }
            members.push(identity);
        }
        checked.insert(
            name,
            PolicyConfig {
                rules,
                identities: members,
            },
        );
    }
    checked
}

/// The patterns of one list; those that look like shell patterns are warned
/// about (KES protocol, D29).
fn patterns(section: &Section<'_>, key: &'static str) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for Field { value, place } in section.texts(key, Expansion::None) {
        let pattern = Pattern::new(value);
        if pattern.suspicious() {
            let message = format!(
                "'{pattern}' matches literally: only a '*' at the end stands for other text"
            );
            section.warn(place, message);
        }
        patterns.push(pattern);
    }
    patterns
}
