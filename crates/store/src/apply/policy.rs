use std::sync::Arc;

use keystead_identity::KmsIdentity;
use keystead_policy::rules::Rules;
use keystead_wire_kms::{ApiError, Name};

use super::access::Actor;
use super::{bad_request, enclave_of};
use crate::model::{Edit, IdentityName, Kind};
use crate::{Caller, Created, Enclave, IdentityEntry, PolicyEntry};

/// Makes or overwrites; who has the policy keeps it.
pub(super) fn create(
    edit: &mut Edit,
    enclave: &str,
    name: &str,
    rules: &Arc<Rules>,
    created: Created,
) -> Result<(), ApiError> {
    Name::Policy.check(name)?;
    enclave_of(edit, enclave)?;
    let entry = PolicyEntry {
        rules: Arc::clone(rules),
        created,
    };
    edit.put_policy(enclave, name, entry);
    Ok(())
}

/// D24: takes it from all who have it, so that a later policy of this name is nobody's.
pub(super) fn delete(edit: &mut Edit, enclave: &str, name: &str) -> Result<(), ApiError> {
    let found = enclave_of(edit, enclave)?;
    if found.policy(name).is_none() {
        return Err(ApiError::POLICY_NOT_FOUND);
    }
    for (identity, entry) in holders(found, name) {
        edit.put_identity(enclave, identity, with_policy(&entry, None));
    }
    edit.remove_policy(enclave, name);
    Ok(())
}

/// D22, D23: users only, and nobody gives itself a policy but root and admins.
pub(super) fn assign(
    edit: &mut Edit,
    enclave: &str,
    identity: &KmsIdentity,
    policy: Option<&str>,
    by: Caller,
) -> Result<(), ApiError> {
    // An empty name and none are one thing, as they are in an encoded operation.
    let policy = policy.filter(|policy| !policy.is_empty());
    let found = enclave_of(edit, enclave)?;
    if matches!(Actor::of(found, by)?, Actor::User(actor) if actor == *identity) {
        return Err(ApiError::NOT_ALLOWED);
    }
    if policy.is_some_and(|policy| found.policy(policy).is_none()) {
        return Err(ApiError::POLICY_NOT_FOUND);
    }
    let entry = found
        .identity(identity)
        .ok_or(ApiError::IDENTITY_NOT_FOUND)?;
    if !matches!(entry.kind, Kind::User { .. }) {
        return Err(bad_request("only a user can have a policy"));
    }
    let entry = with_policy(entry, policy);
    edit.put_identity(enclave, identity.into(), entry);
    Ok(())
}

fn holders(enclave: &Enclave, policy: &str) -> Vec<(IdentityName, Arc<IdentityEntry>)> {
    let identities = enclave.identities.iter();
    identities
        .filter(|(_, entry)| entry.policy() == Some(policy))
        .map(|(name, entry)| (*name, Arc::clone(entry)))
        .collect()
}

fn with_policy(entry: &IdentityEntry, policy: Option<&str>) -> IdentityEntry {
    IdentityEntry {
        kind: Kind::User {
            policy: policy.map(Arc::from),
        },
        ..entry.clone()
    }
}
