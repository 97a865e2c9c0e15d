//! Encryption, decryption, data keys and MACs (MinIO KMS protocol, section 5.4).

use std::mem;

use keystead_crypto::Mode;
use keystead_store::KeyEntry;
use keystead_wire_kms::message::{
    DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse, GenerateKeyRequest,
    GenerateKeyResponse, MacRequest, MacResponse,
};
use keystead_wire_kms::{ApiError, Command, FrameWriter};

use crate::call::Call;
use crate::caller::Caller;
use crate::failure::{Failure, bad_request};

/// Bytes of a data key if the request does not say.
const DATA_KEY: usize = 32;

/// The key of a name in the enclave of the path.
pub(crate) fn find<'s>(caller: &Caller<'s>, name: &str) -> Result<&'s KeyEntry, ApiError> {
    caller.enclave()?.key(name).ok_or(ApiError::KEY_NOT_FOUND)
}

pub(crate) fn encrypt(
    call: &Call<'_>,
    caller: &Caller<'_>,
    request: &EncryptRequest,
    frames: &mut FrameWriter,
) -> Result<u32, Failure> {
    let entry = find(caller, &request.name)?;
    may_seal(call.shared.mode, entry, request.version)?;
    let (version, ciphertext) = entry.ring().encrypt(
        &*call.shared.random,
        request.version,
        &request.plaintext,
        &request.associated_data,
    )?;
    let answer = EncryptResponse {
        version,
        ciphertext,
    };
    frames.write(Command::Encrypt, &answer);
    Ok(version)
}

pub(crate) fn decrypt(
    call: &Call<'_>,
    caller: &Caller<'_>,
    request: &DecryptRequest,
    frames: &mut FrameWriter,
) -> Result<u32, Failure> {
    let mut plaintext = find(caller, &request.name)?.ring().decrypt_in(
        call.shared.mode,
        request.version,
        &request.ciphertext,
        &request.associated_data,
    )?;
    // The message wipes it.
    let answer = DecryptResponse {
        plaintext: mem::take(&mut *plaintext),
    };
    frames.write(Command::Decrypt, &answer);
    Ok(request.version)
}

pub(crate) fn generate(
    call: &Call<'_>,
    caller: &Caller<'_>,
    request: &GenerateKeyRequest,
    frames: &mut FrameWriter,
) -> Result<u32, Failure> {
    let entry = find(caller, &request.name)?;
    may_seal(call.shared.mode, entry, request.version)?;
    let length = match request.length {
        0 => DATA_KEY,
        length => usize::try_from(length).unwrap_or(usize::MAX),
    };
    let mut key = entry.ring().generate(
        &*call.shared.random,
        request.version,
        length,
        &request.associated_data,
    )?;
    let answer = GenerateKeyResponse {
        version: key.version,
        plaintext: mem::take(&mut *key.plaintext),
        ciphertext: mem::take(&mut key.ciphertext),
    };
    frames.write(Command::GenerateKey, &answer);
    Ok(key.version)
}

pub(crate) fn mac(
    caller: &Caller<'_>,
    request: &MacRequest,
    frames: &mut FrameWriter,
) -> Result<u32, Failure> {
    let ring = find(caller, &request.name)?.ring();
    let (version, mac) = ring.mac(request.version, &request.message)?;
    let answer = MacResponse {
        version,
        mac: mac.to_vec(),
    };
    frames.write(Command::Mac, &answer);
    Ok(version)
}

/// In FIPS mode nothing new is sealed with a version of another cipher.
fn may_seal(mode: Mode, entry: &KeyEntry, version: u32) -> Result<(), Failure> {
    match mode.allows(entry.ring().version(version)?.cipher) {
        true => Ok(()),
        false => Err(bad_request("ChaCha20 is not available in FIPS mode")),
    }
}
