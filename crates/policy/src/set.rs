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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Pattern, spellings};

    fn identity(text: &str) -> Identity {
        Identity::from(text)
    }

    fn set() -> PolicySet {
        let minio = Policy {
            allow: vec![Pattern::new("/v1/key/create/*"), Pattern::new("/v1/status")],
            deny: vec![Pattern::new("/v1/key/create/internal*")],
        };
        PolicySet::new(identity("admin"))
            .with_policy("minio", minio, [identity("b"), identity("a")])
            .and_then(|set| set.with_policy("empty", Policy::default(), [identity("c")]))
            .unwrap()
    }

    #[test]
    fn decides_with_a_reason() {
        let set = set();
        for (who, path, text) in [
            (Some("admin"), "/any", "allowed: the identity is the admin"),
            (
                Some("a"),
                "/v1/key/create/x",
                "allowed: rule '/v1/key/create/*' of policy 'minio' matches",
            ),
            (
                Some("b"),
                "/v1/key/create/internal-1",
                "denied: rule '/v1/key/create/internal*' of policy 'minio' matches",
            ),
            (
                Some("a"),
                "/v1/metrics",
                "denied: no rule of policy 'minio' matches",
            ),
            (
                Some("c"),
                "/v1/status",
                "denied: no rule of policy 'empty' matches",
            ),
            (
                Some("d"),
                "/v1/status",
                "denied: the identity has no policy",
            ),
            (None, "/v1/status", "denied: the client has no identity"),
        ] {
            let who = who.map(identity);
            let decision = set.decide(who.as_ref(), spellings(path).as_slice());
            assert_eq!(decision.to_string(), text);
            assert_eq!(decision.is_allowed(), text.starts_with("allowed"));
        }
    }

    #[test]
    fn names_the_policy_for_the_log() {
        let set = set();
        let policy_of = |who: &str| {
            set.decide(Some(&identity(who)), &["/v1/status"])
                .reason()
                .policy()
        };
        assert_eq!(policy_of("a"), Some("minio"));
        assert_eq!(policy_of("c"), Some("empty"));
        assert_eq!(policy_of("d"), None);
        assert_eq!(policy_of("admin"), None);
    }

    #[test]
    fn a_denial_of_any_spelling_wins() {
        let policy = Policy {
            allow: vec![Pattern::new("*")],
            deny: vec![Pattern::new("/v1/policy/list/*")],
        };
        let set = PolicySet::new(identity("admin"))
            .with_policy("p", policy, [identity("a")])
            .unwrap();
        let decide = |path: &str| {
            set.decide(Some(&identity("a")), spellings(path).as_slice())
                .is_allowed()
        };
        assert!(!decide("/v1/policy/list"));
        assert!(!decide("/v1/policy/list/my"));
        assert!(decide("/v1/key/list"));
    }

    #[test]
    fn lists_sorted() {
        let set = set();
        let policies: Vec<_> = set.policies().map(|(name, _)| name).collect();
        assert_eq!(policies, ["empty", "minio"]);
        let members: Vec<_> = set
            .identities()
            .map(|(identity, policy)| (identity.as_str(), policy))
            .collect();
        assert_eq!(members, [("a", "minio"), ("b", "minio"), ("c", "empty")]);
        assert_eq!(set.policy_of(&identity("c")), Some("empty"));
        assert_eq!(set.policy_of(set.admin()), None);
        assert!(set.policy("minio").is_some());
        assert!(set.policy("other").is_none());
    }

    #[test]
    fn an_identity_has_one_role() {
        let add = |name: &str, members: &[&str]| {
            set()
                .with_policy(
                    name,
                    Policy::default(),
                    members.iter().copied().map(identity),
                )
                .map(drop)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            add("p", &["admin"]),
            "invalid policy 'p': identity 'admin' is already admin"
        );
        assert_eq!(
            add("p", &["a"]),
            "cannot assign policy 'p' to 'a': identity already has a policy"
        );
        assert_eq!(
            add("p", &["x", "x"]),
            "cannot assign policy 'p' to 'x': identity already has a policy"
        );
        assert_eq!(
            add("minio", &[]),
            "invalid policy 'minio': policy already exists"
        );
    }
}
