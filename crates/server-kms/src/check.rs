//! Whether the arguments of commands are well formed (decision D20, step 5).

use http::StatusCode;
use keystead_crypto::{Cipher, Mode};
use keystead_identity::KmsIdentity;
use keystead_store::rules_from_message;
use keystead_wire_kms::message::ListRequest;
use keystead_wire_kms::{ApiError, Name, Privilege, Request, check_tags};

use crate::caller::Caller;
use crate::failure::{Failure, bad_request};

/// The longest plaintext and the longest message of a MAC, in bytes (decision D19).
const MAX_PLAINTEXT: usize = 1 << 20;

/// The longest data key, in bytes.
const MAX_DATA_KEY: u32 = 1024;

/// Bytes of every key.
const KEY_LEN: usize = 32;

/// Checks what does not depend on the state.
pub(crate) fn check(request: &Request, caller: &Caller<'_>, mode: Mode) -> Result<(), Failure> {
    match request {
        Request::ClusterStatus
        | Request::ListEnclaves(_)
        | Request::ListKeys(_)
        | Request::ListPolicies(_)
        | Request::ListIdentities(_)
        | Request::EditCluster(_) => {}
        Request::AddNode(request) => present(&request.host, "no host")?,
        Request::RemoveNode(request) => present(&request.host, "no host")?,
        Request::AddHsm(request) => present(&request.name, "no hsm name")?,
        Request::RemoveHsm(request) => present(&request.name, "no hsm name")?,
        Request::CreateEnclave(request) => Name::Enclave.check(&request.name)?,
        Request::DeleteEnclave(request) => Name::Enclave.check(&request.name)?,
        Request::EnclaveStatus(request) => Name::Enclave.check(&request.name)?,
        Request::CreateKey(request) => {
            Name::Key.check(&request.name)?;
            cipher(&request.r#type, mode)?;
        }
        Request::ImportKey(request) => {
            Name::Key.check(&request.name)?;
            cipher(&request.r#type, mode)?;
            if request.key.len() != KEY_LEN {
                return Err(ApiError::INVALID_KEY_LENGTH.into());
            }
        }
        Request::DeleteKey(request) => {
            Name::Key.check(&request.name)?;
            if request.all_versions && request.version > 0 {
                return Err(bad_request("either a version or all versions"));
            }
        }
        Request::KeyStatus(request) => Name::Key.check(&request.name)?,
        Request::Encrypt(request) => {
            Name::Key.check(&request.name)?;
            not_too_long(&request.plaintext)?;
        }
        Request::Decrypt(request) => Name::Key.check(&request.name)?,
        Request::GenerateKey(request) => {
            Name::Key.check(&request.name)?;
            if request.length > MAX_DATA_KEY {
                return Err(bad_request("invalid data key length"));
            }
        }
        Request::Mac(request) => {
            Name::Key.check(&request.name)?;
            not_too_long(&request.message)?;
        }
        Request::ListKeyVersions(request) => versions(request)?,
        Request::CreatePolicy(request) => {
            Name::Policy.check(&request.name)?;
            rules_from_message(&request.allow, &request.deny)?;
        }
        Request::DeletePolicy(request) => Name::Policy.check(&request.name)?,
        Request::GetPolicy(request) | Request::PolicyStatus(request) => {
            Name::Policy.check(&request.name)?;
        }
        Request::AssignPolicy(request) => {
            identity(&request.identity)?;
            if !request.policy.is_empty() {
                Name::Policy.check(&request.policy)?;
            }
        }
        Request::CreateIdentity(request) => {
            identity(&request.identity)?;
            let privilege: Privilege = request.privilege.parse()?;
            check_tags(&request.tags)?;
            // Others learn in the next step that they may not.
            if privilege == Privilege::SysAdmin && caller.is_root() {
                return Err(bad_request(
                    "an identity of an enclave cannot be a SysAdmin",
                ));
            }
        }
        Request::DeleteIdentity(request) => drop(identity(&request.identity)?),
        Request::IdentityStatus(request) => {
            let identity = identity(&request.identity)?;
            // Beyond enclaves there is one identity, the root (decision D21).
            if !caller.is_in_enclave() && identity != caller.identity {
                return Err(bad_request("IDENTITY:STATUS needs an enclave in the path"));
            }
        }
    }
    Ok(())
}

/// The cipher of a type, none for an empty one.
pub(crate) fn cipher(r#type: &str, mode: Mode) -> Result<Option<Cipher>, Failure> {
    let cipher = match r#type {
        "" => return Ok(None),
        "AES256" => Cipher::Aes256,
        "ChaCha20" => Cipher::ChaCha20,
        _ => return Err(bad_request("invalid key type")),
    };
    match mode.allows(cipher) {
        true => Ok(Some(cipher)),
        false => Err(bad_request("ChaCha20 is not available in FIPS mode")),
    }
}

/// An identity that somebody can have.
pub(crate) fn identity(text: &str) -> Result<KmsIdentity, Failure> {
    let identity: Option<KmsIdentity> = text.parse().ok();
    identity
        .filter(|identity| !identity.is_nobody())
        .ok_or_else(|| bad_request("invalid identity"))
}

fn versions(request: &ListRequest) -> Result<(), Failure> {
    Name::Key.check(&request.prefix)?;
    let text = &request.continue_at;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match digits && (text.is_empty() || text.parse::<u32>().is_ok()) {
        true => Ok(()),
        false => Err(bad_request("invalid key version")),
    }
}

fn present(text: &str, otherwise: &'static str) -> Result<(), Failure> {
    match text.is_empty() {
        true => Err(bad_request(otherwise)),
        false => Ok(()),
    }
}

fn not_too_long(data: &[u8]) -> Result<(), Failure> {
    match data.len() <= MAX_PLAINTEXT {
        true => Ok(()),
        false => Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "data is too large").into()),
    }
}
