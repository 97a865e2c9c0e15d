//! Commands that read: each writes one frame, from one state, without waiting.

use keystead_store::State;
use keystead_wire_kms::{ApiError, Command, FrameWriter, Request};

use crate::call::Call;
use crate::caller::Caller;
use crate::decide::shows;
use crate::failure::Failure;
use crate::{cluster, identity, key};

/// Answers a command that is permitted; the version of the key that was used, if any.
pub(crate) fn read(
    call: &Call<'_>,
    state: &State,
    caller: &Caller<'_>,
    request: &Request,
    frames: &mut FrameWriter,
) -> Result<u32, Failure> {
    let command = request.command();
    match request {
        Request::ClusterStatus => frames.write(command, &cluster::status(call)),
        Request::EnclaveStatus(request) => {
            let enclave = state.enclave(&request.name);
            let enclave = enclave.ok_or(ApiError::ENCLAVE_NOT_FOUND)?;
            frames.write(command, &enclave.status());
        }
        Request::ListEnclaves(request) => frames.write(command, &state.list_enclaves(request)),
        Request::KeyStatus(request) => {
            let status =
                key::find(caller, &request.name)?.status(&request.name, request.version)?;
            frames.write(command, &status);
            return Ok(status.version);
        }
        Request::Encrypt(request) => return key::encrypt(call, caller, request, frames),
        Request::Decrypt(request) => return key::decrypt(call, caller, request, frames),
        Request::GenerateKey(request) => return key::generate(call, caller, request, frames),
        Request::Mac(request) => return key::mac(caller, request, frames),
        Request::ListKeys(request) => {
            let visible = |name: &str| shows(caller, Command::ListKeys, name);
            frames.write(command, &caller.enclave()?.list_keys(request, visible));
        }
        Request::ListKeyVersions(request) => {
            let entry = key::find(caller, &request.prefix)?;
            frames.write(command, &entry.list_versions(&request.prefix, request)?);
        }
        Request::GetPolicy(request) => {
            let policy = caller.enclave()?.policy(&request.name);
            let policy = policy.ok_or(ApiError::POLICY_NOT_FOUND)?;
            frames.write(command, &policy.to_message(&request.name));
        }
        Request::PolicyStatus(request) => {
            let policy = caller.enclave()?.policy(&request.name);
            let policy = policy.ok_or(ApiError::POLICY_NOT_FOUND)?;
            frames.write(command, &policy.status(&request.name));
        }
        Request::ListPolicies(request) => {
            let visible = |name: &str| shows(caller, Command::ListPolicies, name);
            frames.write(command, &caller.enclave()?.list_policies(request, visible));
        }
        Request::IdentityStatus(request) => {
            frames.write(command, &identity::status(caller, request)?);
        }
        Request::ListIdentities(request) => {
            let visible = |name: &str| shows(caller, Command::ListIdentities, name);
            frames.write(
                command,
                &caller.enclave()?.list_identities(request, visible),
            );
        }
        Request::AddNode(_)
        | Request::RemoveNode(_)
        | Request::EditCluster(_)
        | Request::AddHsm(_)
        | Request::RemoveHsm(_)
        | Request::CreateEnclave(_)
        | Request::DeleteEnclave(_)
        | Request::CreateKey(_)
        | Request::DeleteKey(_)
        | Request::ImportKey(_)
        | Request::CreatePolicy(_)
        | Request::DeletePolicy(_)
        | Request::AssignPolicy(_)
        | Request::CreateIdentity(_)
        | Request::DeleteIdentity(_) => {
            return Err(ApiError::MIXED_COMMANDS.into());
        }
    }
    Ok(0)
}
