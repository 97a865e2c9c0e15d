use keystead_wire_kms::{ApiError, Name};

use crate::model::Edit;
use crate::{Created, Enclave};

pub(super) fn create(edit: &mut Edit, name: &str, created: Created) -> Result<(), ApiError> {
    Name::Enclave.check(name)?;
    if edit.state().enclave(name).is_some() {
        return Err(ApiError::ENCLAVE_EXISTS);
    }
    edit.put_enclave(Enclave::new(name, created));
    Ok(())
}

pub(super) fn delete(edit: &mut Edit, name: &str) -> Result<(), ApiError> {
    super::enclave_of(edit, name)?;
    edit.remove_enclave(name);
    Ok(())
}
