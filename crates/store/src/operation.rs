use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use keystead_crypto::{Cipher, SecretKey};
use keystead_identity::KmsIdentity;
use keystead_policy::rules::Rules;
use keystead_wire_kms::Privilege;

use crate::{Created, State};

mod batch;
mod codec;
mod outcome;
#[cfg(test)]
mod tests;

pub use batch::Batch;
pub use outcome::Outcome;

/// One change of the state, decided in everything but whether it is possible.
///
/// Whoever proposes it has checked the form of its arguments and what policies say;
/// [`apply`](crate::apply) decides every rule that depends on the state.
#[derive(Clone)]
pub enum Operation {
    /// A new, empty enclave.
    CreateEnclave {
        /// Its name.
        name: String,
        /// By whom and when.
        created: Created,
    },
    /// Removes an enclave with everything in it.
    DeleteEnclave {
        /// Its name.
        name: String,
    },
    /// A new key, or a new version of one.
    CreateKey {
        /// The enclave.
        enclave: String,
        /// The name of the key.
        name: String,
        /// The cipher; none for AES256 or, with `add_version`, that of the latest version.
        cipher: Option<Cipher>,
        /// The bytes.
        key: SecretKey,
        /// Whether the key must exist and gets a version, or must not exist.
        add_version: bool,
        /// By whom and when.
        created: Created,
    },
    /// A new key made elsewhere.
    ImportKey {
        /// The enclave.
        enclave: String,
        /// The name of the key.
        name: String,
        /// The cipher; none for AES256.
        cipher: Option<Cipher>,
        /// The bytes.
        key: SecretKey,
        /// By whom and when.
        created: Created,
    },
    /// Removes a version of a key, or all of it.
    DeleteKey {
        /// The enclave.
        enclave: String,
        /// The name of the key.
        name: String,
        /// What goes.
        versions: Versions,
    },
    /// A new policy, or other content for one.
    CreatePolicy {
        /// The enclave.
        enclave: String,
        /// The name of the policy.
        name: String,
        /// What it allows and denies.
        rules: Arc<Rules>,
        /// By whom and when.
        created: Created,
    },
    /// Removes a policy and its assignments.
    DeletePolicy {
        /// The enclave.
        enclave: String,
        /// The name of the policy.
        name: String,
    },
    /// Gives a user a policy, or takes it away.
    AssignPolicy {
        /// The enclave.
        enclave: String,
        /// The user.
        identity: KmsIdentity,
        /// The name of the policy; none to take the present one away.
        policy: Option<String>,
        /// Who asks.
        by: Caller,
    },
    /// Registers an identity, or overwrites its registration.
    CreateIdentity {
        /// The enclave.
        enclave: String,
        /// What it becomes.
        identity: NewIdentity,
        /// When.
        at: jiff::Timestamp,
        /// Who asks.
        by: Caller,
    },
    /// Removes an identity with its service accounts.
    DeleteIdentity {
        /// The enclave.
        enclave: String,
        /// Who goes.
        identity: KmsIdentity,
        /// Who asks.
        by: Caller,
    },
    /// Records the identity of the root.
    SetRoot {
        /// Its identity.
        identity: KmsIdentity,
    },
    /// Replaces everything by the content of a backup.
    Restore(Box<State>),
}

/// Tells an operation that is proposed again from a new one: 16 random bytes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct OperationId(pub [u8; 16]);

/// Who asks for a change whose rules depend on that.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Caller {
    /// The identity.
    pub identity: KmsIdentity,
    /// Whether it is the root, which a node's configuration may name.
    pub is_root: bool,
}

/// The registration of an identity as it was asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewIdentity {
    /// Who is registered.
    pub identity: KmsIdentity,
    /// The privilege asked for.
    pub privilege: Privilege,
    /// Whether it becomes a service account of the caller.
    pub is_service_account: bool,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Which versions of a key go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Versions {
    /// The newest one present.
    Latest,
    /// The one of this number, from 1.
    One(u32),
    /// All, and with them the key.
    All,
}

// === impl Operation ===

impl Operation {
    /// The name for logs; no argument is in it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CreateEnclave { .. } => "create enclave",
            Self::DeleteEnclave { .. } => "delete enclave",
            Self::CreateKey { .. } => "create key",
            Self::ImportKey { .. } => "import key",
            Self::DeleteKey { .. } => "delete key",
            Self::CreatePolicy { .. } => "create policy",
            Self::DeletePolicy { .. } => "delete policy",
            Self::AssignPolicy { .. } => "assign policy",
            Self::CreateIdentity { .. } => "create identity",
            Self::DeleteIdentity { .. } => "delete identity",
            Self::SetRoot { .. } => "set root",
            Self::Restore(_) => "restore",
        }
    }
}

/// The name alone, because arguments may be secret.
impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Operation({})", self.name())
    }
}
