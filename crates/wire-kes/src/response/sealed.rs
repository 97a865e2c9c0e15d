use bytes::Bytes;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::object::ObjectWriter;
use crate::{base64, object};

/// A new data key.
#[derive(Deserialize)]
pub struct GenerateResponse {
    /// The data key.
    #[serde(deserialize_with = "base64::secret")]
    pub plaintext: Zeroizing<Vec<u8>>,
    /// The data key encrypted with the named key.
    #[serde(deserialize_with = "base64::public")]
    pub ciphertext: Vec<u8>,
}

/// An encrypted message.
#[derive(Deserialize)]
pub struct EncryptResponse {
    /// The encrypted message.
    #[serde(deserialize_with = "base64::public")]
    pub ciphertext: Vec<u8>,
}

/// A decrypted message.
#[derive(Deserialize)]
pub struct DecryptResponse {
    /// The message.
    #[serde(deserialize_with = "base64::secret")]
    pub plaintext: Zeroizing<Vec<u8>>,
}

/// Decrypted messages, in the order of the request.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct BulkDecryptResponse {
    /// The messages.
    pub items: Vec<DecryptResponse>,
}

/// A message authentication code.
#[derive(Deserialize)]
pub struct HmacResponse {
    /// HMAC-SHA-256, 32 bytes.
    #[serde(deserialize_with = "base64::secret")]
    pub hmac: Zeroizing<Vec<u8>>,
}

// === impl GenerateResponse ===

impl GenerateResponse {
    /// Writes the body.
    #[must_use]
    pub fn encode(plaintext: &[u8], ciphertext: &[u8]) -> Bytes {
        object::response(&[("plaintext", plaintext), ("ciphertext", ciphertext)])
    }
}

// === impl EncryptResponse ===

impl EncryptResponse {
    /// Writes the body.
    #[must_use]
    pub fn encode(ciphertext: &[u8]) -> Bytes {
        object::response(&[("ciphertext", ciphertext)])
    }
}

// === impl DecryptResponse ===

impl DecryptResponse {
    /// Writes the body.
    #[must_use]
    pub fn encode(plaintext: &[u8]) -> Bytes {
        object::response(&[("plaintext", plaintext)])
    }
}

// === impl BulkDecryptResponse ===

impl BulkDecryptResponse {
    /// Writes the body.
    #[must_use]
    pub fn encode<P: AsRef<[u8]>>(plaintexts: &[P]) -> Bytes {
        ObjectWriter::array(
            plaintexts
                .iter()
                .map(|plaintext| [("plaintext", plaintext.as_ref())]),
        )
        .raw(b"\n")
        .finish()
    }
}

// === impl HmacResponse ===

impl HmacResponse {
    /// Writes the body.
    #[must_use]
    pub fn encode(hmac: &[u8]) -> Bytes {
        object::response(&[("hmac", hmac)])
    }
}
