use keystead_identity::Identity;

/// Why a [`PolicySet`](crate::PolicySet) cannot be built.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A policy names the admin, who needs none.
    #[error("invalid policy '{policy}': identity '{identity}' is already admin")]
    AlreadyAdmin {
        /// The policy that names the admin.
        policy: String,
        /// The admin identity.
        identity: Identity,
    },
    /// An identity is listed twice, in one policy or in two.
    #[error("cannot assign policy '{policy}' to '{identity}': identity already has a policy")]
    AlreadyAssigned {
        /// The policy that lists the identity the second time.
        policy: String,
        /// The identity listed twice.
        identity: Identity,
    },
    /// Two policies have the same name.
    #[error("invalid policy '{policy}': policy already exists")]
    DuplicatePolicy {
        /// The name used twice.
        policy: String,
    },
}
