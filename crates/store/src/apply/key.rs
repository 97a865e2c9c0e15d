use keystead_crypto::{Cipher, Error, KeyRing, KeyVersion, SecretKey};
use keystead_wire_kms::{ApiError, Name};

use super::enclave_of;
use crate::model::Edit;
use crate::{Created, KeyEntry, Versions};

/// D11, D12: version 1, AES256 unless another cipher was asked for.
pub(super) fn create(
    edit: &mut Edit,
    enclave: &str,
    name: &str,
    cipher: Option<Cipher>,
    key: &SecretKey,
    created: Created,
) -> Result<(), ApiError> {
    insert(edit, enclave, name, first(cipher, key, false), created)
}

/// D14: as a new key, with a mark.
pub(super) fn import(
    edit: &mut Edit,
    enclave: &str,
    name: &str,
    cipher: Option<Cipher>,
    key: &SecretKey,
    created: Created,
) -> Result<(), ApiError> {
    insert(edit, enclave, name, first(cipher, key, true), created)
}

/// D11 to D13: the next version of a key that exists.
pub(super) fn add_version(
    edit: &mut Edit,
    enclave: &str,
    name: &str,
    cipher: Option<Cipher>,
    key: &SecretKey,
    created: Created,
) -> Result<(), ApiError> {
    let entry = find(edit, enclave, name)?;
    let ring = entry.ring();
    let version = KeyVersion {
        version: ring.next_version().ok_or(ApiError::TOO_MANY_VERSIONS)?,
        cipher: cipher.unwrap_or(ring.latest().cipher),
        key: key.clone(),
        imported: false,
    };
    let entry = entry
        .with_version(version, created)
        .map_err(|error| answer(&error))?;
    edit.put_key(enclave, name, entry);
    Ok(())
}

/// D12: with the last version goes the key, and what numbers it used.
pub(super) fn delete(
    edit: &mut Edit,
    enclave: &str,
    name: &str,
    versions: Versions,
) -> Result<(), ApiError> {
    let entry = find(edit, enclave, name)?;
    let rest = match versions {
        Versions::All => None,
        Versions::Latest => entry.without(0).map_err(|error| answer(&error))?,
        Versions::One(version) => entry.without(version).map_err(|error| answer(&error))?,
    };
    match rest {
        Some(entry) => edit.put_key(enclave, name, entry),
        None => edit.remove_key(enclave, name),
    }
    Ok(())
}

fn insert(
    edit: &mut Edit,
    enclave: &str,
    name: &str,
    version: KeyVersion,
    created: Created,
) -> Result<(), ApiError> {
    Name::Key.check(name)?;
    if enclave_of(edit, enclave)?.key(name).is_some() {
        return Err(ApiError::KEY_EXISTS);
    }
    let ring = KeyRing::new(version).map_err(|error| answer(&error))?;
    let entry = KeyEntry::new(ring, vec![created]).ok_or(ApiError::KEY_NOT_FOUND)?;
    edit.put_key(enclave, name, entry);
    Ok(())
}

fn find<'a>(edit: &'a Edit, enclave: &str, name: &str) -> Result<&'a KeyEntry, ApiError> {
    enclave_of(edit, enclave)?
        .key(name)
        .ok_or(ApiError::KEY_NOT_FOUND)
}

fn first(cipher: Option<Cipher>, key: &SecretKey, imported: bool) -> KeyVersion {
    KeyVersion {
        version: 1,
        cipher: cipher.unwrap_or(Cipher::Aes256),
        key: key.clone(),
        imported,
    }
}

/// What a ring refuses.
fn answer(error: &Error) -> ApiError {
    match error {
        Error::TooManyKeyVersions => ApiError::TOO_MANY_VERSIONS,
        _ => ApiError::KEY_NOT_FOUND,
    }
}
