use bytes::Bytes;
use serde::Serialize;

/// The `Content-Type` of JSON answers, exactly.
pub const CONTENT_TYPE_JSON: &str = "application/json";

/// The `Content-Type` of log streams, and of the listings of servers up to 2023-10-03.
pub const CONTENT_TYPE_NDJSON: &str = "application/x-ndjson";

/// The JSON text of `value`.
///
/// Writing to memory does not fail, and no document of this crate has map keys that
/// are not strings, so the error that the type allows cannot occur.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// The JSON text of `value` and a newline, as responses and log streams have it.
pub(crate) fn line<T: Serialize + ?Sized>(value: &T) -> Bytes {
    let mut text = json(value);
    text.push(b'\n');
    text.into()
}
