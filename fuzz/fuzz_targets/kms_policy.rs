//! Policy files of MinIO KMS: whatever makes rules makes the same rules again from its
//! canonical form.
#![no_main]

use std::collections::BTreeMap;

use keystead_store::{rules_from_message, rules_to_message};
use keystead_wire_kms::message::RuleSet;
use libfuzzer_sys::fuzz_target;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    allow: Option<BTreeMap<String, RuleSet>>,
    deny: Option<BTreeMap<String, RuleSet>>,
}

fuzz_target!(|text: &str| {
    let Ok(file) = serde_json::from_str::<PolicyFile>(text) else {
        return;
    };
    let allow = file.allow.unwrap_or_default();
    let deny = file.deny.unwrap_or_default();
    match rules_from_message(&allow, &deny) {
        Ok(rules) => {
            let (allow, deny) = rules_to_message(&rules);
            let file = PolicyFile {
                allow: Some(allow),
                deny: Some(deny),
            };
            let text = serde_json::to_string(&file).expect("own form");
            let again: PolicyFile = serde_json::from_str(&text).expect("own form");
            let allow = again.allow.unwrap_or_default();
            let deny = again.deny.unwrap_or_default();
            let again = rules_from_message(&allow, &deny).expect("own form");
            assert_eq!(again, rules);
        }
        Err(error) => assert_eq!(error.status.as_u16(), 400),
    }
});
