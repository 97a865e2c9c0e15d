use std::fmt;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::DecryptRequest;
use crate::ApiError;
use crate::fields::{Tolerant, first_value};
use crate::object::ObjectWriter;

/// The most messages of one bulk decryption.
pub const MAX_BULK_ITEMS: usize = 1000;

/// Asks to decrypt several messages (releases v0.19 to 2023-10-03; KES protocol,
/// section 3.7).
#[derive(Default)]
pub struct BulkDecryptRequest {
    /// The messages, in the order of the answer.
    pub items: Vec<DecryptRequest>,
}

// === impl BulkDecryptRequest ===

impl BulkDecryptRequest {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`ApiError::INVALID_BODY`], or [`ApiError::TOO_MANY_CIPHERTEXTS`] for more
    /// than [`MAX_BULK_ITEMS`].
    pub fn decode(body: &[u8]) -> Result<Self, ApiError> {
        let request: Self = first_value(body).map_err(|_| ApiError::INVALID_BODY)?;
        if request.items.len() > MAX_BULK_ITEMS {
            return Err(ApiError::TOO_MANY_CIPHERTEXTS);
        }
        Ok(request)
    }

    /// Writes the body for pairs of ciphertext and context.
    #[must_use]
    pub fn encode(items: &[(&[u8], &[u8])]) -> Bytes {
        ObjectWriter::array(
            items
                .iter()
                .map(|(ciphertext, context)| [("ciphertext", *ciphertext), ("context", *context)]),
        )
        .finish()
    }
}

impl<'de> Deserialize<'de> for BulkDecryptRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemsVisitor)
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = BulkDecryptRequest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of ciphertexts")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(BulkDecryptRequest::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Tolerant(item)) = seq.next_element()? {
            // One too many is enough to refuse them all, so a body of empty objects
            // cannot grow the list any further.
            if items.len() <= MAX_BULK_ITEMS {
                items.push(item);
            }
        }
        Ok(BulkDecryptRequest { items })
    }
}
