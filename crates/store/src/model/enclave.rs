use std::sync::Arc;

use keystead_identity::KmsIdentity;
use keystead_wire_kms::Privilege;
use keystead_wire_kms::message::{EnclaveStatusResponse, IdentityResponse};

use super::identity::Kind;
use super::{Created, IdentityEntry, IdentityName, KeyEntry, Map, PolicyEntry, Rights};

/// A tenant: keys, policies and identities that no other enclave sees.
#[derive(Clone)]
pub struct Enclave {
    pub(crate) name: Arc<str>,
    pub(crate) created: Created,
    pub(crate) keys: Map<Arc<str>, Arc<KeyEntry>>,
    pub(crate) policies: Map<Arc<str>, Arc<PolicyEntry>>,
    pub(crate) identities: Map<IdentityName, Arc<IdentityEntry>>,
}

// === impl Enclave ===

impl Enclave {
    pub(crate) fn new(name: &str, created: Created) -> Self {
        Self {
            name: name.into(),
            created,
            keys: Map::default(),
            policies: Map::default(),
            identities: Map::default(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When and by whom it was made.
    #[must_use]
    pub fn created(&self) -> Created {
        self.created
    }

    /// What `ENCLAVE:STATUS` says.
    #[must_use]
    pub fn status(&self) -> EnclaveStatusResponse {
        let (created_at, created_by) = self.created.to_message();
        EnclaveStatusResponse {
            name: self.name.as_ref().to_owned(),
            created_at,
            created_by,
        }
    }

    /// The key of a name.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&KeyEntry> {
        self.keys.get(name).map(Arc::as_ref)
    }

    /// How many keys it has.
    #[must_use]
    pub fn key_count(&self) -> usize {
        self.keys.len()
    }

    /// The policy of a name.
    #[must_use]
    pub fn policy(&self, name: &str) -> Option<&PolicyEntry> {
        self.policies.get(name).map(Arc::as_ref)
    }

    /// The registration of an identity.
    #[must_use]
    pub fn identity(&self, identity: &KmsIdentity) -> Option<&IdentityEntry> {
        let name = IdentityName::from(identity);
        self.identities.get(&name).map(Arc::as_ref)
    }

    /// What an identity may do here, none if it is not registered. A service account
    /// has the rights of its parent at this moment (decision D22).
    #[must_use]
    pub fn rights_of(&self, identity: &KmsIdentity) -> Option<Rights<'_>> {
        let holder = self.holder(self.identity(identity)?)?;
        Some(match &holder.kind {
            Kind::Admin => Rights::Admin,
            Kind::User { policy: Some(name) } => match self.policy(name) {
                Some(policy) => Rights::Policy { name, policy },
                None => Rights::None,
            },
            Kind::User { policy: None } | Kind::ServiceAccount => Rights::None,
        })
    }

    /// What `IDENTITY:STATUS` says.
    #[must_use]
    pub fn identity_status(&self, identity: &KmsIdentity) -> Option<IdentityResponse> {
        let name = IdentityName::from(identity);
        let entry = self.identities.get(&name)?;
        Some(self.describe(name.as_str(), entry))
    }

    pub(crate) fn describe(&self, name: &str, entry: &IdentityEntry) -> IdentityResponse {
        let (created_at, created_by) = entry.created.to_message();
        let privilege = self.holder(entry).map(IdentityEntry::own_privilege);
        IdentityResponse {
            identity: name.to_owned(),
            privilege: privilege.unwrap_or(Privilege::User).number(),
            policy: entry.policy().unwrap_or_default().to_owned(),
            created_at,
            created_by,
            is_service_account: entry.is_service_account(),
            service_accounts: entry.service_accounts().map(str::to_owned).collect(),
            tags: entry.tags().clone(),
        }
    }

    /// Whose rights count.
    pub(crate) fn holder<'a>(&'a self, entry: &'a IdentityEntry) -> Option<&'a IdentityEntry> {
        match entry.parent() {
            Some(parent) => self.identity(&parent),
            None => Some(entry),
        }
    }

    /// Makes a service account known to its parent; whether there is such a parent.
    pub(crate) fn link(&mut self, parent: &KmsIdentity, name: IdentityName) -> bool {
        let entry = self.identities.get_mut(&IdentityName::from(parent));
        entry.is_some_and(|entry| {
            let accounts = &mut Arc::make_mut(entry).service_accounts;
            accounts.insert(name, ()).is_none()
        })
    }

    /// The inverse of [`link`](Self::link).
    pub(crate) fn unlink(&mut self, parent: &KmsIdentity, name: &IdentityName) {
        if let Some(entry) = self.identities.get_mut(&IdentityName::from(parent)) {
            Arc::make_mut(entry).service_accounts.remove(name);
        }
    }
}
