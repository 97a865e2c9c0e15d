use std::fmt;

use base64::engine::{Engine, general_purpose::STANDARD};
use keystead_crypto::decode_base64;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use zeroize::Zeroizing;

/// A byte field of a JSON document as the original reads it: base64 in which line
/// breaks are skipped, an array of numbers, or `null` for no bytes.
pub(crate) struct Base64(pub(crate) Zeroizing<Vec<u8>>);

/// The number of characters that encode `len` bytes.
pub(crate) const fn encoded_len(len: usize) -> usize {
    len.div_ceil(3) * 4
}

/// Appends the encoded form of `bytes`; does not reallocate if there is room for it.
pub(crate) fn encode_into(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + encoded_len(bytes.len()), 0);
    // The space has the exact size, so the only possible error cannot occur.
    let written = out
        .get_mut(start..)
        .and_then(|space| STANDARD.encode_slice(bytes, space).ok());
    debug_assert_eq!(written, Some(encoded_len(bytes.len())));
}

/// For `#[serde(deserialize_with)]` on fields that are not secret.
pub(crate) fn public<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    Base64::deserialize(deserializer).map(|mut bytes| std::mem::take(&mut *bytes.0))
}

/// For `#[serde(deserialize_with)]` on fields that are wiped after use.
pub(crate) fn secret<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Zeroizing<Vec<u8>>, D::Error> {
    Base64::deserialize(deserializer).map(|bytes| bytes.0)
}

// === impl Base64 ===

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Base64Visitor)
    }
}

struct Base64Visitor;

impl<'de> Visitor<'de> for Base64Visitor {
    type Value = Base64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("base64 text or an array of bytes")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Base64, E> {
        decode_base64(text.as_bytes())
            .map(Base64)
            .map_err(E::custom)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Base64, E> {
        Ok(Base64(Zeroizing::default()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Base64, A::Error> {
        let mut bytes = Zeroizing::<Vec<u8>>::default();
        while let Some(byte) = seq.next_element::<Option<u8>>()? {
            bytes.push(byte.unwrap_or_default());
        }
        Ok(Base64(bytes))
    }
}
