use keystead_identity::KmsIdentity;
use keystead_store::{Enclave, Rights, State};
use keystead_wire_kms::{ApiError, Privilege};

/// A caller whom the server knows, at the place it asked for.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'s> {
    pub(crate) identity: KmsIdentity,
    pub(crate) rights: Rights<'s>,
    /// The enclave of the path.
    enclave: Option<&'s Enclave>,
}

// === impl Caller ===

impl<'s> Caller<'s> {
    /// Lets a caller in, to the cluster or to an enclave (decision D20, step 2).
    ///
    /// Known callers learn that an enclave does not exist, so that a mistyped name stops
    /// a client at its start; nobody else learns anything.
    pub(crate) fn enter(
        state: &'s State,
        root: KmsIdentity,
        identity: Option<KmsIdentity>,
        enclave: Option<&str>,
    ) -> Result<Self, ApiError> {
        let identity = identity
            .filter(|identity| !identity.is_nobody())
            .ok_or(ApiError::NOT_ALLOWED)?;
        let found = enclave.and_then(|name| state.enclave(name));
        let rights = match found {
            _ if identity == root => Some(Rights::Root),
            Some(found) => found.rights_of(&identity),
            None => None,
        };
        let missing = enclave.is_some() && found.is_none();
        if missing && (rights.is_some() || state.is_registered(&identity)) {
            return Err(ApiError::ENCLAVE_NOT_FOUND);
        }
        Ok(Self {
            identity,
            rights: rights.ok_or(ApiError::NOT_ALLOWED)?,
            enclave: found,
        })
    }

    pub(crate) fn is_root(&self) -> bool {
        matches!(self.rights, Rights::Root)
    }

    pub(crate) fn privilege(&self) -> Privilege {
        match self.rights {
            Rights::Root => Privilege::SysAdmin,
            Rights::Admin => Privilege::Admin,
            Rights::Policy { .. } | Rights::None => Privilege::User,
        }
    }

    /// The enclave of the path; only commands of the cluster do without one.
    pub(crate) fn enclave(&self) -> Result<&'s Enclave, ApiError> {
        self.enclave.ok_or(ApiError::ENCLAVE_NOT_FOUND)
    }

    pub(crate) fn is_in_enclave(&self) -> bool {
        self.enclave.is_some()
    }
}
