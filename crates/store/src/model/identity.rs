use std::collections::BTreeMap;
use std::sync::Arc;

use keystead_identity::KmsIdentity;
use keystead_wire_kms::Privilege;

use super::{Created, IdentityName, Map};

/// The registration of an identity in an enclave.
#[derive(Clone)]
pub struct IdentityEntry {
    pub(crate) kind: Kind,
    /// The creator of a service account is its parent.
    pub(crate) created: Created,
    pub(crate) tags: Arc<BTreeMap<String, String>>,
    /// Follows from the parents that the service accounts name.
    pub(crate) service_accounts: Map<IdentityName, ()>,
}

/// What an identity may do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Everything in its enclave.
    Admin,
    /// What the policy of this name allows.
    User { policy: Option<Arc<str>> },
    /// Whatever its parent may.
    ServiceAccount,
}

// === impl IdentityEntry ===

impl IdentityEntry {
    /// Whether it has the rights of another identity and none of its own.
    #[must_use]
    pub fn is_service_account(&self) -> bool {
        self.kind == Kind::ServiceAccount
    }

    /// Whose rights a service account has.
    #[must_use]
    pub fn parent(&self) -> Option<KmsIdentity> {
        self.is_service_account().then_some(self.created.by)
    }

    /// The name of the policy assigned to a user.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        match &self.kind {
            Kind::User { policy } => policy.as_deref(),
            Kind::Admin | Kind::ServiceAccount => None,
        }
    }

    /// When and by whom it was registered or overwritten.
    #[must_use]
    pub fn created(&self) -> Created {
        self.created
    }

    /// What the creator wrote about it.
    #[must_use]
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    /// The texts of its service accounts, in their order.
    pub fn service_accounts(&self) -> impl Iterator<Item = &str> {
        self.service_accounts.iter().map(|(name, ())| name.as_str())
    }

    /// The privilege of an identity that is no service account.
    pub(crate) fn own_privilege(&self) -> Privilege {
        match self.kind {
            Kind::Admin => Privilege::Admin,
            Kind::User { .. } | Kind::ServiceAccount => Privilege::User,
        }
    }
}
