use keystead_identity::KmsIdentity;
use keystead_wire_kms::ApiError;

use crate::{Caller, Enclave, IdentityEntry, Rights};

/// Whose rights a caller uses, for the rules of D22 that depend on who asks.
pub(super) enum Actor {
    /// The root.
    Root,
    /// An admin of the enclave, or a service account of one.
    Admin,
    /// A user, or a service account of one.
    User(KmsIdentity),
}

// === impl Actor ===

impl Actor {
    /// Who acts. A caller that was removed since its request came may do nothing.
    pub(super) fn of(enclave: &Enclave, by: Caller) -> Result<Self, ApiError> {
        if by.is_root {
            return Ok(Self::Root);
        }
        let entry = enclave
            .identity(&by.identity)
            .ok_or(ApiError::NOT_ALLOWED)?;
        let identity = entry.parent().unwrap_or(by.identity);
        match enclave.rights_of(&identity) {
            Some(Rights::Root | Rights::Admin) => Ok(Self::Admin),
            Some(Rights::Policy { .. } | Rights::None) => Ok(Self::User(identity)),
            None => Err(ApiError::NOT_ALLOWED),
        }
    }

    /// Refuses to touch a registration that is not the actor's own to change: a user
    /// may change its service accounts and nobody else.
    pub(super) fn may_change(&self, target: Option<&IdentityEntry>) -> Result<(), ApiError> {
        match self {
            Self::Root | Self::Admin => Ok(()),
            Self::User(identity) => match target.and_then(IdentityEntry::parent) {
                Some(parent) if parent == *identity => Ok(()),
                _ => Err(ApiError::NOT_ALLOWED),
            },
        }
    }
}
