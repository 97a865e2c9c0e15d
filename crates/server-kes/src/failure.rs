//! What clients are told when a key store did not do what they asked for (key stores,
//! section 1.1).

use keystead_http::HttpError;
use keystead_keystore::Error;
use keystead_wire_kes::ApiError;

pub(crate) fn of_create(error: Error) -> HttpError {
    match error {
        Error::KeyExists => ApiError::KEY_EXISTS.into(),
        error => HttpError::from(ApiError::CREATE_KEY_FAILED).because(error),
    }
}

pub(crate) fn of_read(error: Error) -> HttpError {
    match error {
        Error::KeyNotFound => ApiError::KEY_NOT_FOUND.into(),
        error => HttpError::from(ApiError::READ_KEY_FAILED).because(error),
    }
}

pub(crate) fn of_delete(error: Error) -> HttpError {
    match error {
        Error::KeyNotFound => ApiError::KEY_NOT_FOUND.into(),
        error => HttpError::from(ApiError::DELETE_KEY_FAILED).because(error),
    }
}

pub(crate) fn of_list(error: Error) -> HttpError {
    HttpError::from(ApiError::LIST_KEYS_FAILED).because(error)
}
