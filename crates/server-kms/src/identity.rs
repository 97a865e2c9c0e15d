use keystead_wire_kms::message::{IdentityRequest, IdentityResponse};
use keystead_wire_kms::{ApiError, Privilege};

use crate::caller::Caller;
use crate::check;
use crate::failure::Failure;

/// What `IDENTITY:STATUS` says: the registration in the enclave, or who the root is
/// (decision D21).
pub(crate) fn status(
    caller: &Caller<'_>,
    request: &IdentityRequest,
) -> Result<IdentityResponse, Failure> {
    let identity = check::identity(&request.identity)?;
    if caller.is_root() && identity == caller.identity {
        return Ok(IdentityResponse {
            identity: identity.to_string(),
            privilege: Privilege::SysAdmin.number(),
            ..Default::default()
        });
    }
    let status = caller.enclave()?.identity_status(&identity);
    Ok(status.ok_or(ApiError::IDENTITY_NOT_FOUND)?)
}
