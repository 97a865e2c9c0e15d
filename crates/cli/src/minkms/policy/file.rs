//! Policy files (MinIO KMS protocol, section 6.4 and decision D31).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use keystead_wire_kms::Command;
use keystead_wire_kms::message::{CreatePolicyRequest, RuleSet};
use serde::Deserialize;

/// The largest file, in bytes.
const MAX_LEN: usize = 64 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    #[serde(default)]
    allow: Option<BTreeMap<String, RuleSet>>,
    #[serde(default)]
    deny: Option<BTreeMap<String, RuleSet>>,
}

/// Reads the policy `name` from a file, or from standard input if that is called `-`.
pub(super) fn read(file: &Path, name: String) -> Result<CreatePolicyRequest> {
    let place = file.display();
    let mut text = Vec::new();
    let limit = u64::try_from(MAX_LEN + 1)?;
    let read = match file.as_os_str() == "-" {
        true => io::stdin().take(limit).read_to_end(&mut text),
        false => File::open(file).and_then(|file| file.take(limit).read_to_end(&mut text)),
    };
    read.with_context(|| format!("cannot read the policy from '{place}'"))?;
    let policy = parse(&text).map_err(|error| anyhow!("invalid policy in '{place}': {error}"))?;
    let rules = |rules: Option<_>| canonical(rules.unwrap_or_default());
    let refused = |error| anyhow!("invalid policy in '{place}': {error}");
    Ok(CreatePolicyRequest {
        name,
        allow: rules(policy.allow).map_err(refused)?,
        deny: rules(policy.deny).map_err(refused)?,
    })
}

fn parse(text: &[u8]) -> Result<PolicyFile> {
    if text.len() > MAX_LEN {
        bail!("it is larger than {} KiB", MAX_LEN / 1024);
    }
    // An array would be taken for the members in their order.
    if text.trim_ascii_start().first() == Some(&b'[') {
        bail!("it is an array in place of an object with 'allow' and 'deny'");
    }
    Ok(serde_json::from_slice(text)?)
}

/// The rules under the names of the protocol. A command in two spellings has the rules of
/// both.
fn canonical(
    rules: BTreeMap<String, RuleSet>,
) -> Result<BTreeMap<String, RuleSet>, keystead_wire_kms::Error> {
    let mut named: BTreeMap<String, RuleSet> = BTreeMap::new();
    for (name, set) in rules {
        let command: Command = name.parse()?;
        let all = named.entry(command.name().to_owned()).or_default();
        *all = all.patterns().into_iter().chain(set.patterns()).collect();
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules(text: &str) -> Result<String> {
        let policy = parse(text.as_bytes())?;
        let allow = canonical(policy.allow.unwrap_or_default())?;
        Ok(serde_json::to_string(&allow)?)
    }

    #[test]
    fn rule_sets_have_many_forms() {
        assert_eq!(
            rules(
                r#"{"allow":{"key:generate":"b*","KEY:GENERATE":["a"],"KEY:DECRYPT":null,
                    "KEY:IMPORT":{"x":{},"y":null}},"deny":null}"#
            )
            .unwrap(),
            r#"{"KEY:DECRYPT":[],"KEY:GENERATE":["a","b*"],"KEY:IMPORT":["x","y"]}"#
        );
        assert_eq!(rules("{}").unwrap(), "{}");
    }

    #[test]
    fn mistakes_are_named() {
        for (text, message) in [
            ("", "EOF while parsing"),
            ("[]", "it is an array"),
            (
                r#"{"alow":{}}"#,
                "unknown field `alow`, expected `allow` or `deny`",
            ),
            (r#"{"allow":{"KEY:*":"*"}}"#, "invalid command 'KEY:*'"),
            (r#"{"allow":{"KEY:CREATE":1}}"#, "expected a pattern"),
        ] {
            let error = rules(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
        let large = format!("{{{}}}", " ".repeat(MAX_LEN));
        assert!(rules(&large).unwrap_err().to_string().contains("64 KiB"));
    }

    proptest! {
        #[test]
        fn no_file_causes_a_panic(text in "\\PC{0,80}") {
            drop(rules(&text));
        }
    }
}
