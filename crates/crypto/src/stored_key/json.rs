//! The value written by releases before 2024-02-29.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use crate::encoding::decode_base64;
use crate::{Error, SecretKey, StoredKey};

/// The fields that matter; `version` may stand beside them.
#[derive(Deserialize)]
struct JsonKey<'a> {
    #[serde(borrow)]
    bytes: Cow<'a, str>,
    #[serde(borrow)]
    algorithm: Option<Cow<'a, str>>,
    created_at: Option<Timestamp>,
    created_by: Option<String>,
}

pub(super) fn decode(value: &[u8]) -> Result<StoredKey, Error> {
    // The cause is left out: it may quote the value.
    let json: JsonKey<'_> =
        serde_json::from_slice(value).map_err(|_| Error::MalformedKey("invalid JSON"))?;
    let bytes = decode_base64(json.bytes.as_bytes())?;
    let algorithm = json.algorithm.filter(|name| !name.is_empty());
    Ok(StoredKey {
        key: SecretKey::try_from(bytes.as_slice())?,
        cipher: algorithm.map(|name| name.parse()).transpose()?,
        hmac_key: None,
        created_at: json.created_at.unwrap_or(UNKNOWN),
        created_by: json.created_by.unwrap_or_default().into(),
    })
}

/// 0001-01-01T00:00:00Z, the time that clients of all releases read as unknown.
const UNKNOWN: Timestamp = Timestamp::constant(-62_135_596_800, 0);
