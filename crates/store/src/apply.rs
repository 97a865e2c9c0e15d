//! One state and one operation make the next state.
//!
//! Every rule that depends on the state is decided here, with the answer for the
//! client; the decisions are named by their numbers in the MinIO KMS protocol.

use http::StatusCode;
use keystead_wire_kms::ApiError;

use crate::model::Edit;
use crate::{Batch, Change, Enclave, Operation, Outcome, State};

mod access;
mod enclave;
mod identity;
mod key;
mod policy;
#[cfg(test)]
mod tests;

/// What a batch made of a state.
pub struct Applied {
    /// The next state.
    pub state: State,
    /// What its records became, in order: a record may be among them more than once.
    pub changes: Vec<Change>,
    /// What became of each operation of the batch, in its order.
    pub outcomes: Vec<Outcome>,
}

/// Applies one operation.
///
/// # Errors
///
/// The answer for the client, if a rule forbids it. Nothing changed then.
pub fn apply(state: &State, operation: &Operation) -> Result<(State, Vec<Change>), ApiError> {
    let mut edit = Edit::new(state);
    apply_to(&mut edit, operation)?;
    Ok(edit.finish())
}

/// Applies the operations of a log entry one after the other.
///
/// One whose id was applied before is not applied again and has the outcome that it had
/// then; the last 10,000 are known.
#[must_use]
pub fn apply_batch(state: &State, batch: &Batch) -> Applied {
    let mut edit = Edit::new(state);
    let mut outcomes = Vec::with_capacity(batch.operations.len());
    for (id, operation) in &batch.operations {
        let outcome = match edit.state().outcome(id) {
            Some(known) => known.clone(),
            None => {
                let outcome = Outcome::from(apply_to(&mut edit, operation));
                edit.remember(*id, &outcome);
                outcome
            }
        };
        outcomes.push(outcome);
    }
    let (state, changes) = edit.finish();
    Applied {
        state,
        changes,
        outcomes,
    }
}

fn apply_to(edit: &mut Edit, operation: &Operation) -> Result<(), ApiError> {
    match operation {
        Operation::CreateEnclave { name, created } => enclave::create(edit, name, *created),
        Operation::DeleteEnclave { name } => enclave::delete(edit, name),
        Operation::CreateKey {
            enclave,
            name,
            cipher,
            key,
            add_version: false,
            created,
        } => key::create(edit, enclave, name, *cipher, key, *created),
        Operation::CreateKey {
            enclave,
            name,
            cipher,
            key,
            add_version: true,
            created,
        } => key::add_version(edit, enclave, name, *cipher, key, *created),
        Operation::ImportKey {
            enclave,
            name,
            cipher,
            key,
            created,
        } => key::import(edit, enclave, name, *cipher, key, *created),
        Operation::DeleteKey {
            enclave,
            name,
            versions,
        } => key::delete(edit, enclave, name, *versions),
        Operation::CreatePolicy {
            enclave,
            name,
            rules,
            created,
        } => policy::create(edit, enclave, name, rules, *created),
        Operation::DeletePolicy { enclave, name } => policy::delete(edit, enclave, name),
        Operation::AssignPolicy {
            enclave,
            identity,
            policy,
            by,
        } => policy::assign(edit, enclave, identity, policy.as_deref(), *by),
        Operation::CreateIdentity {
            enclave,
            identity,
            at,
            by,
        } => identity::create(edit, enclave, identity, *at, *by),
        Operation::DeleteIdentity {
            enclave,
            identity,
            by,
        } => identity::delete(edit, enclave, identity, *by),
        Operation::SetRoot { identity } if identity.is_nobody() => {
            Err(bad_request("invalid identity"))
        }
        Operation::SetRoot { identity } => {
            edit.set_root(Some(*identity));
            Ok(())
        }
        Operation::Restore(state) => {
            edit.replace(state);
            Ok(())
        }
    }?;
    edit.count();
    Ok(())
}

fn enclave_of<'a>(edit: &'a Edit, name: &str) -> Result<&'a Enclave, ApiError> {
    edit.state()
        .enclave(name)
        .ok_or(ApiError::ENCLAVE_NOT_FOUND)
}

fn bad_request(message: &'static str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, message)
}
