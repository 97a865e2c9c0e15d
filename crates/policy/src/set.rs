use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use keystead_identity::Identity;

use crate::policy::Verdict;
use crate::{Decision, Error, Policy, Reason};

/// The admin, all policies, and who belongs to which.
///
/// Built once from the configuration and replaced as a whole on reload.
#[derive(Clone, Debug)]
pub struct PolicySet {
    admin: Identity,
    policies: BTreeMap<Arc<str>, Arc<Policy>>,
    members: BTreeMap<Identity, Membership>,
}

#[derive(Clone, Debug)]
struct Membership {
    policy_name: Arc<str>,
    policy: Arc<Policy>,
}

// === impl PolicySet ===

impl PolicySet {
    /// A set without policies.
    ///
    /// An `admin` that is no certificate fingerprint, such as `disabled`, never
    /// equals the identity of a client, and so nobody is the admin.
    #[must_use]
    pub fn new(admin: Identity) -> Self {
        Self {
            admin,
            policies: BTreeMap::new(),
            members: BTreeMap::new(),
        }
    }

    /// Adds a policy and its members.
    ///
    /// # Errors
    ///
    /// [`Error::DuplicatePolicy`] if the name is taken, [`Error::AlreadyAdmin`] if a
    /// member is the admin, [`Error::AlreadyAssigned`] if a member was listed before,
    /// in this policy or in another.
    pub fn with_policy(
        mut self,
        name: &str,
        policy: Policy,
        identities: impl IntoIterator<Item = Identity>,
    ) -> Result<Self, Error> {
        let policy_name: Arc<str> = name.into();
        let policy = Arc::new(policy);
        match self.policies.entry(Arc::clone(&policy_name)) {
            Entry::Vacant(entry) => entry.insert(Arc::clone(&policy)),
            Entry::Occupied(_) => {
                return Err(Error::DuplicatePolicy {
                    policy: name.to_owned(),
                });
            }
        };
        for identity in identities {
            if identity == self.admin {
                return Err(Error::AlreadyAdmin {
                    policy: name.to_owned(),
                    identity,
                });
            }
            match self.members.entry(identity) {
                Entry::Vacant(entry) => entry.insert(Membership {
                    policy_name: Arc::clone(&policy_name),
                    policy: Arc::clone(&policy),
                }),
                Entry::Occupied(entry) => {
                    return Err(Error::AlreadyAssigned {
                        policy: name.to_owned(),
                        identity: entry.key().clone(),
                    });
                }
            };
        }
        Ok(self)
    }

    /// Decides one request, without allocating.
    ///
    /// `paths` are the spellings of the requested path (see
    /// [`spellings`](crate::spellings())): the request is denied if a deny pattern
    /// matches any of them, else allowed if an allow pattern does.
    #[must_use]
    pub fn decide<'a>(&'a self, identity: Option<&Identity>, paths: &[&str]) -> Decision<'a> {
        let Some(identity) = identity else {
            return Decision::Denied(Reason::NoIdentity);
        };
        if *identity == self.admin {
            return Decision::Allowed(Reason::Admin);
        }
        let Some(member) = self.members.get(identity) else {
            return Decision::Denied(Reason::NoPolicy);
        };
        let policy = &*member.policy_name;
        match member.policy.judge(paths) {
            Verdict::Allow(pattern) => Decision::Allowed(Reason::Rule { policy, pattern }),
            Verdict::Deny(pattern) => Decision::Denied(Reason::Rule { policy, pattern }),
            Verdict::Unmatched => Decision::Denied(Reason::NoMatchingRule { policy }),
        }
    }

    /// The admin as configured.
    #[must_use]
    pub fn admin(&self) -> &Identity {
        &self.admin
    }

    /// The policy of this name.
    #[must_use]
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        self.policies.get(name).map(|policy| &**policy)
    }

    /// The name of the policy that `identity` belongs to; the admin belongs to none.
    #[must_use]
    pub fn policy_of(&self, identity: &Identity) -> Option<&str> {
        self.members
            .get(identity)
            .map(|member| &*member.policy_name)
    }

    /// All policies, sorted bytewise by name.
    pub fn policies(&self) -> impl Iterator<Item = (&str, &Policy)> {
        self.policies
            .iter()
            .map(|(name, policy)| (&**name, &**policy))
    }

    /// All members of policies with the name of their policy, sorted bytewise by
    /// identity. The admin is not among them.
    pub fn identities(&self) -> impl Iterator<Item = (&Identity, &str)> {
        self.members
            .iter()
            .map(|(identity, member)| (identity, &*member.policy_name))
    }
}
