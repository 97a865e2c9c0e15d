//! The state as readers see it.

use std::fmt;
use std::sync::Arc;

use keystead_identity::KmsIdentity;
use keystead_wire_kms::message::{ListEnclavesResponse, ListRequest};

use crate::{Digest, OperationId, Outcome};

mod created;
mod edit;
mod enclave;
mod identity;
mod key;
mod listing;
mod load;
mod map;
mod name;
mod page;
mod policy;
mod recent;
mod record;
mod rights;
mod rules;
#[cfg(test)]
pub(crate) mod tests;

pub use created::Created;
pub(crate) use edit::Edit;
pub use enclave::Enclave;
pub use identity::IdentityEntry;
pub(crate) use identity::Kind;
pub use key::KeyEntry;
pub(crate) use key::key_status;
pub(crate) use map::Map;
pub(crate) use name::IdentityName;
pub use page::MAX_PAGE;
pub use policy::PolicyEntry;
use recent::Recent;
pub(crate) use record::{
    CreatedRecord, RuleSetRecord, cipher, cipher_number, rules_from_records, rules_to_records,
};
pub use rights::Rights;
pub use rules::{rules_from_message, rules_to_message};

/// Everything that is replicated: the root's identity and all enclaves.
///
/// A state never changes; [`apply`](crate::apply) makes the next one, which shares what
/// is the same. To clone one costs next to nothing.
#[derive(Clone, Default)]
pub struct State {
    root: Option<KmsIdentity>,
    enclaves: Map<Arc<str>, Arc<Enclave>>,
    /// In how many enclaves an identity is registered.
    pub(crate) registered: Map<IdentityName, u64>,
    recent: Recent,
    pub(crate) commit: u64,
    digest: Digest,
}

// === impl State ===

impl State {
    /// The identity recorded as root, which a node's configuration may override.
    #[must_use]
    pub fn root(&self) -> Option<KmsIdentity> {
        self.root
    }

    /// How many changes were applied, from the first one on.
    #[must_use]
    pub fn commit(&self) -> u64 {
        self.commit
    }

    /// The fingerprint of root and enclaves, equal on all nodes with the same commit.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Whether there is nothing that a restore would replace: no enclave.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.enclaves.is_empty()
    }

    /// Whether any enclave knows the identity.
    #[must_use]
    pub fn is_registered(&self, identity: &KmsIdentity) -> bool {
        self.registered.get(&IdentityName::from(identity)).is_some()
    }

    /// The enclave of a name.
    #[must_use]
    pub fn enclave(&self, name: &str) -> Option<&Enclave> {
        self.enclaves.get(name).map(Arc::as_ref)
    }

    /// All enclaves by name.
    pub fn enclaves(&self) -> impl Iterator<Item = &Enclave> {
        self.enclaves.iter().map(|(_, enclave)| enclave.as_ref())
    }

    /// A page of enclaves (MinIO KMS protocol, section 5.1 and decision D16).
    #[must_use]
    pub fn list_enclaves(&self, request: &ListRequest) -> ListEnclavesResponse {
        let page = page::page(&self.enclaves, request, |_| true);
        ListEnclavesResponse {
            enclaves: page.items.iter().map(|(_, it)| it.status()).collect(),
            continue_at: page.continue_at.to_owned(),
        }
    }

    /// What became of an operation that was applied already.
    pub(crate) fn outcome(&self, id: &OperationId) -> Option<&Outcome> {
        self.recent.outcome(id)
    }

    fn register(&mut self, name: IdentityName) {
        let count = self.registered.get(&name).copied().unwrap_or_default();
        self.registered.insert(name, count.saturating_add(1));
    }

    fn deregister(&mut self, name: &IdentityName) {
        match self.registered.get(name).copied().unwrap_or_default() {
            0 | 1 => self.registered.remove(name),
            count => self.registered.insert(*name, count.saturating_sub(1)),
        };
    }
}

/// Equal content: root and enclaves, not how often it was changed.
impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest && load::content(self).eq(load::content(other))
    }
}

impl Eq for State {}

/// Commit and digest; the content is secret.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({}, {})", self.commit, self.digest)
    }
}
