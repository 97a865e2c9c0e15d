use std::collections::BTreeMap;

use crate::Error;

/// The most tags of an identity.
const MAX_TAGS: usize = 32;

/// The longest key of a tag, in bytes.
const MAX_KEY_LEN: usize = 64;

/// The longest value of a tag, in bytes.
const MAX_VALUE_LEN: usize = 256;

/// Whether an identity may have these tags (MinIO KMS protocol, section 6.2).
///
/// # Errors
///
/// [`Error::Tags`] for too many, too long, or with characters other than
/// `A-Za-z0-9._/-`.
pub fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Error> {
    let legal = tags.len() <= MAX_TAGS
        && tags.iter().all(|(key, value)| {
            (1..=MAX_KEY_LEN).contains(&key.len())
                && value.len() <= MAX_VALUE_LEN
                && has_legal_bytes(key)
                && has_legal_bytes(value)
        });
    legal.then_some(()).ok_or(Error::Tags)
}

fn has_legal_bytes(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte))
}
