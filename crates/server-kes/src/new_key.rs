//! Keys as they come into being, through the API or without a server.

use jiff::Timestamp;
use keystead_crypto::{Cipher, Random, SecretKey, StoredKey};
use keystead_http::HttpError;
use keystead_wire_kes::{ApiError, DescribeKey, ImportRequest};

/// A key of random bytes, made now by `creator`.
pub(crate) fn generated(random: &dyn Random, creator: &str) -> Result<StoredKey, HttpError> {
    made(StoredKey::generate(
        Cipher::native(),
        random,
        Timestamp::now(),
        creator,
    ))
}

/// The key that somebody brings, taken over now by `creator`.
pub(crate) fn imported(
    request: &ImportRequest,
    random: &dyn Random,
    creator: &str,
) -> Result<StoredKey, HttpError> {
    let cipher: Cipher = request
        .cipher
        .parse()
        .map_err(|_| ApiError::unsupported_algorithm(&request.cipher))?;
    let key = SecretKey::try_from(request.key.as_slice())
        .map_err(|_| ApiError::invalid_key_size(cipher.name()))?;
    made(StoredKey::import(
        key,
        cipher,
        random,
        Timestamp::now(),
        creator,
    ))
}

fn made(key: Result<StoredKey, keystead_crypto::Error>) -> Result<StoredKey, HttpError> {
    key.map_err(|error| HttpError::from(ApiError::GENERATE_KEY_FAILED).because(error))
}

/// What may be told about a key.
pub(crate) fn description(name: &str, key: &StoredKey) -> DescribeKey {
    DescribeKey {
        name: name.to_owned(),
        algorithm: key.cipher().name().to_owned(),
        created_at: Some(key.created_at()),
        created_by: key.created_by().to_owned(),
    }
}
