use std::sync::Arc;

use keystead_policy::rules::Rules;
use keystead_wire_kms::message::{PolicyResponse, PolicyStatusResponse};

use super::{Created, rules_to_message};

/// A policy: what it allows and denies.
#[derive(Clone)]
pub struct PolicyEntry {
    pub(crate) rules: Arc<Rules>,
    pub(crate) created: Created,
}

// === impl PolicyEntry ===

impl PolicyEntry {
    /// What decides.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// When and by whom it was made or overwritten.
    #[must_use]
    pub fn created(&self) -> Created {
        self.created
    }

    /// What `POLICY:STATUS` says.
    #[must_use]
    pub fn status(&self, name: &str) -> PolicyStatusResponse {
        let (created_at, created_by) = self.created.to_message();
        PolicyStatusResponse {
            name: name.to_owned(),
            created_at,
            created_by,
        }
    }

    /// What `POLICY:GET` says.
    #[must_use]
    pub fn to_message(&self, name: &str) -> PolicyResponse {
        let (created_at, created_by) = self.created.to_message();
        let (allow, deny) = rules_to_message(&self.rules);
        PolicyResponse {
            name: name.to_owned(),
            allow,
            deny,
            created_at,
            created_by,
        }
    }
}
