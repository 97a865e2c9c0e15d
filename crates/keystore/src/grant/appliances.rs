//! Roles and permissions of the key stores that are appliances.

use keystead_config::kes::{FortanixConfig, KeyControlConfig, KeySecureConfig};

use super::{Grant, Operation, list};

/// The roles of a PASM vault (documentation, Entrust KeyControl).
pub(super) fn keycontrol(config: &KeyControlConfig, operation: Operation) -> Option<Grant> {
    let role = match operation {
        Operation::Connect | Operation::Read => "'Vault User'",
        Operation::List => "'Vault User' or 'Vault Box Admin'",
        Operation::Create | Operation::Delete => {
            "'Vault Box Admin' (before KeyControl 10.0: 'Vault Admin')"
        }
    };
    let KeyControlConfig {
        box_id, username, ..
    } = config;
    Some(Grant {
        place: format!("a policy of the PASM vault for the account '{username}'"),
        text: format!("role {role} on the box '{box_id}', All Secrets"),
    })
}

/// The permissions of an app in a group of Fortanix DSM.
pub(super) fn fortanix(config: &FortanixConfig, operation: Operation) -> Option<Grant> {
    let permission = match operation {
        Operation::Connect => return None,
        Operation::List => "membership in the group is enough",
        Operation::Read => "permission Export",
        // The key is exported to learn its id.
        Operation::Delete => "permissions Manage and Export",
        Operation::Create => "permission Manage",
    };
    let group = match &config.group_id {
        Some(group) => format!("the group '{group}'"),
        None => "the app's default group".to_owned(),
    };
    Some(Grant {
        place: format!("the app of the API key, for {group}"),
        text: permission.to_owned(),
    })
}

/// A policy of CipherTrust Manager.
pub(super) fn keysecure(config: &KeySecureConfig, operation: Operation) -> Option<Grant> {
    let actions = match operation {
        Operation::Connect => return None,
        Operation::List => &["ReadKey"][..],
        Operation::Read => &["ReadKey", "ExportKey"],
        Operation::Create => &["CreateKey"],
        Operation::Delete => &["DeleteKey"],
    };
    let domain = match &config.domain {
        Some(domain) => format!("domain '{domain}'"),
        None => "the root domain".to_owned(),
    };
    Some(Grant {
        place: format!("a policy in {domain}, attached to a group of the token's user"),
        text: format!(
            "{{ \"allow\": true, \"actions\": {}, \"resources\": [\"kylo:kylo:vault:secrets:*\"] }}",
            list(actions)
        ),
    })
}
