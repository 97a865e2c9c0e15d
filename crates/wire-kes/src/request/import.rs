use bytes::Bytes;
use serde::de::MapAccess;
use zeroize::Zeroizing;

use super::secret;
use crate::ApiError;
use crate::fields::{Fields, Tolerant, first_value};
use crate::object::ObjectWriter;

/// The cipher of keys that old clients import without naming one.
const DEFAULT_CIPHER: &str = "AES256";

/// Brings a key.
#[derive(Default)]
pub struct ImportRequest {
    /// The key, of any length: the server wants 32 bytes.
    pub key: Zeroizing<Vec<u8>>,
    /// The name of the cipher, not checked.
    pub cipher: String,
}

/// The body with the field names of all releases.
#[derive(Default)]
struct Body {
    key: Zeroizing<Vec<u8>>,
    bytes: Option<Zeroizing<Vec<u8>>>,
    cipher: String,
    algorithm: String,
}

// === impl ImportRequest ===

impl ImportRequest {
    /// Reads the body.
    ///
    /// Old clients send `bytes` for `key` and `algorithm` for `cipher`; with `bytes`,
    /// a missing or empty cipher means AES256 (decision D12). The names of today win.
    ///
    /// # Errors
    ///
    /// [`ApiError::INVALID_IMPORT_BODY`].
    pub fn decode(body: &[u8]) -> Result<Self, ApiError> {
        let Tolerant(body) =
            first_value::<Tolerant<Body>>(body).map_err(|_| ApiError::INVALID_IMPORT_BODY)?;
        let mut cipher = body.cipher;
        if cipher.is_empty() {
            cipher = body.algorithm;
        }
        if cipher.is_empty() && body.bytes.is_some() {
            DEFAULT_CIPHER.clone_into(&mut cipher);
        }
        let key = match body.bytes {
            Some(bytes) if body.key.is_empty() => bytes,
            _ => body.key,
        };
        Ok(Self { key, cipher })
    }

    /// Writes the body as clients since 2023-10 do.
    #[must_use]
    pub fn encode(key: &[u8], cipher: &str) -> Bytes {
        let cipher = crate::document::json(cipher);
        let start = ObjectWriter::object_len(&[("key", key)]) + r#","cipher":"#.len();
        ObjectWriter::with_capacity(start + cipher.len())
            .open_object(&[("key", key)])
            .raw(br#","cipher":"#)
            .raw(&cipher)
            .raw(b"}")
            .finish()
    }
}

impl Fields for Body {
    const NAMES: &'static [&'static str] = &["key", "bytes", "cipher", "algorithm"];

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match name {
            "key" => self.key = secret(map)?,
            "bytes" => self.bytes = Some(secret(map)?),
            _ => {
                // A `null` leaves text as it was, unlike bytes.
                if let Some(text) = map.next_value::<Option<String>>()? {
                    let field = if name == "cipher" {
                        &mut self.cipher
                    } else {
                        &mut self.algorithm
                    };
                    *field = text;
                }
            }
        }
        Ok(())
    }
}
