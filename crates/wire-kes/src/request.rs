mod bulk;
mod import;

use bytes::Bytes;
use serde::de::MapAccess;
use zeroize::Zeroizing;

pub use bulk::{BulkDecryptRequest, MAX_BULK_ITEMS};
pub use import::ImportRequest;

use crate::base64::Base64;
use crate::fields::{Fields, Tolerant, first_value};
use crate::{ApiError, object};

/// Asks for a new data key.
#[derive(Default)]
pub struct GenerateRequest {
    /// Data authenticated with the encrypted key.
    pub context: Vec<u8>,
}

/// Asks to encrypt a message.
#[derive(Default)]
pub struct EncryptRequest {
    /// The message.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// Data authenticated with the message.
    pub context: Vec<u8>,
}

/// Asks to decrypt a message.
#[derive(Default)]
pub struct DecryptRequest {
    /// The encrypted message.
    pub ciphertext: Vec<u8>,
    /// The context given at its encryption.
    pub context: Vec<u8>,
}

/// Asks for a message authentication code.
#[derive(Default)]
pub struct HmacRequest {
    /// The message.
    pub message: Zeroizing<Vec<u8>>,
}

fn decode<T: Fields>(body: &[u8]) -> Result<T, ApiError> {
    first_value::<Tolerant<T>>(body)
        .map(|request| request.0)
        .map_err(|_| ApiError::INVALID_BODY)
}

/// Bytes that are not secret.
fn public<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Vec<u8>, A::Error> {
    Ok(std::mem::take(&mut *map.next_value::<Base64>()?.0))
}

/// Bytes that are wiped after use.
fn secret<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Zeroizing<Vec<u8>>, A::Error> {
    Ok(map.next_value::<Base64>()?.0)
}

// === impl GenerateRequest ===

impl GenerateRequest {
    /// Reads the body; an empty one means an empty context (decision D8).
    ///
    /// # Errors
    ///
    /// [`ApiError::INVALID_BODY`].
    pub fn decode(body: &[u8]) -> Result<Self, ApiError> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        decode(body)
    }

    /// Writes the body.
    #[must_use]
    pub fn encode(context: &[u8]) -> Bytes {
        object::request(&[("context", context)])
    }
}

impl Fields for GenerateRequest {
    const NAMES: &'static [&'static str] = &["context"];

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        _: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.context = public(map)?;
        Ok(())
    }
}

// === impl EncryptRequest ===

impl EncryptRequest {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`ApiError::INVALID_BODY`].
    pub fn decode(body: &[u8]) -> Result<Self, ApiError> {
        decode(body)
    }

    /// Writes the body.
    #[must_use]
    pub fn encode(plaintext: &[u8], context: &[u8]) -> Bytes {
        object::request(&[("plaintext", plaintext), ("context", context)])
    }
}

impl Fields for EncryptRequest {
    const NAMES: &'static [&'static str] = &["plaintext", "context"];

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        if name == "plaintext" {
            self.plaintext = secret(map)?;
        } else {
            self.context = public(map)?;
        }
        Ok(())
    }
}

// === impl DecryptRequest ===

impl DecryptRequest {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`ApiError::INVALID_BODY`].
    pub fn decode(body: &[u8]) -> Result<Self, ApiError> {
        decode(body)
    }

    /// Writes the body.
    #[must_use]
    pub fn encode(ciphertext: &[u8], context: &[u8]) -> Bytes {
        object::request(&[("ciphertext", ciphertext), ("context", context)])
    }
}

impl Fields for DecryptRequest {
    const NAMES: &'static [&'static str] = &["ciphertext", "context"];

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let bytes = public(map)?;
        if name == "ciphertext" {
            self.ciphertext = bytes;
        } else {
            self.context = bytes;
        }
        Ok(())
    }
}

// === impl HmacRequest ===

impl HmacRequest {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`ApiError::INVALID_BODY`].
    pub fn decode(body: &[u8]) -> Result<Self, ApiError> {
        decode(body)
    }

    /// Writes the body.
    #[must_use]
    pub fn encode(message: &[u8]) -> Bytes {
        object::request(&[("message", message)])
    }
}

impl Fields for HmacRequest {
    const NAMES: &'static [&'static str] = &["message"];

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        _: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.message = secret(map)?;
        Ok(())
    }
}
