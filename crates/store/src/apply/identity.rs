use std::sync::Arc;

use jiff::Timestamp;
use keystead_identity::KmsIdentity;
use keystead_wire_kms::{ApiError, Privilege, check_tags};

use super::access::Actor;
use super::{bad_request, enclave_of};
use crate::model::{Edit, IdentityName, Kind};
use crate::{Caller, Created, Enclave, IdentityEntry, NewIdentity};

/// D22, D23, D25: registers or overwrites. The policy is gone then; service accounts
/// stay.
pub(super) fn create(
    edit: &mut Edit,
    enclave: &str,
    new: &NewIdentity,
    at: Timestamp,
    by: Caller,
) -> Result<(), ApiError> {
    let found = enclave_of(edit, enclave)?;
    let actor = Actor::of(found, by)?;
    let old = found.identity(&new.identity);
    if new.privilege == Privilege::SysAdmin {
        return Err(match actor {
            Actor::Root => bad_request("SysAdmin is the privilege of the root identity alone"),
            Actor::Admin | Actor::User(_) => ApiError::NOT_ALLOWED,
        });
    }
    if let (Actor::User(_), false) = (&actor, new.is_service_account) {
        return Err(ApiError::NOT_ALLOWED);
    }
    if old.is_some() {
        actor.may_change(old)?;
    }
    if new.identity.is_nobody() {
        return Err(bad_request("invalid identity"));
    }
    if edit.state().root() == Some(new.identity) || (by.is_root && by.identity == new.identity) {
        return Err(bad_request("the root identity cannot be registered"));
    }
    check_tags(&new.tags)?;
    let kind = match (new.is_service_account, new.privilege) {
        (true, _) => service_account(found, &actor, old, new, by)?,
        (false, Privilege::Admin) => Kind::Admin,
        (false, _) => Kind::User { policy: None },
    };
    let entry = IdentityEntry {
        kind,
        created: Created {
            at,
            by: by.identity,
        },
        tags: Arc::new(new.tags.clone()),
        service_accounts: old
            .map(|old| old.service_accounts.clone())
            .unwrap_or_default(),
    };
    edit.put_identity(enclave, IdentityName::from(&new.identity), entry);
    Ok(())
}

/// Service accounts go with their parent.
pub(super) fn delete(
    edit: &mut Edit,
    enclave: &str,
    identity: &KmsIdentity,
    by: Caller,
) -> Result<(), ApiError> {
    let found = enclave_of(edit, enclave)?;
    let target = found.identity(identity);
    Actor::of(found, by)?.may_change(target)?;
    let target = target.ok_or(ApiError::IDENTITY_NOT_FOUND)?;
    let accounts: Vec<_> = target.service_accounts.iter().map(|(it, ())| *it).collect();
    for account in accounts {
        edit.remove_identity(enclave, account);
    }
    edit.remove_identity(enclave, IdentityName::from(identity));
    Ok(())
}

/// What D22 says of service accounts: a parent that is none itself, no children, no
/// more rights than the parent.
fn service_account(
    enclave: &Enclave,
    actor: &Actor,
    old: Option<&IdentityEntry>,
    new: &NewIdentity,
    by: Caller,
) -> Result<Kind, ApiError> {
    let parent = match actor {
        Actor::Root => return Err(bad_request("the root identity has no service accounts")),
        Actor::Admin | Actor::User(_) => enclave.identity(&by.identity),
    };
    if parent.is_none_or(IdentityEntry::is_service_account) {
        return Err(bad_request("a service account has no service accounts"));
    }
    if by.identity == new.identity {
        return Err(bad_request("an identity is no service account of its own"));
    }
    if old.is_some_and(|old| !old.service_accounts.is_empty()) {
        return Err(bad_request(
            "an identity with service accounts cannot become one",
        ));
    }
    match (actor, new.privilege) {
        (Actor::User(_), Privilege::Admin) => Err(ApiError::NOT_ALLOWED),
        _ => Ok(Kind::ServiceAccount),
    }
}
