use std::fmt;
use std::str::FromStr;

use keystead_crypto::{decode_base64url, encode_base64url, sha256};

use crate::Error;
use crate::certificate::parse;

const PREFIX: &str = "h1:";

/// Whoever holds a key, as MinIO KMS names them: the SHA-256 of the DER
/// SubjectPublicKeyInfo (MinIO KMS protocol, section 1.2).
///
/// The text is `h1:` and unpadded URL-safe base64. 32 zero bytes are
/// [`NOBODY`](Self::NOBODY), whose text is empty and whom no key matches.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KmsIdentity([u8; 32]);

impl KmsIdentity {
    /// No identity: the creator of what nobody created.
    pub const NOBODY: Self = Self([0; 32]);

    /// Length of every text but the empty one, in bytes.
    pub const TEXT_LEN: usize = 46;

    /// The identity of whoever holds the key of `spki_der`, a complete
    /// SubjectPublicKeyInfo as it stands in the certificate.
    #[must_use]
    pub fn of_spki(spki_der: &[u8]) -> Self {
        Self(sha256(spki_der))
    }

    /// The identity of whoever holds the key of a certificate. Validity, usages, names
    /// and chain play no role.
    ///
    /// # Errors
    /// [`Error::Certificate`].
    pub fn of_certificate(der: &[u8]) -> Result<Self, Error> {
        Ok(Self::of_spki(parse(der)?.public_key().raw))
    }

    /// An identity as it is stored.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash, or 32 zero bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether this is [`NOBODY`](Self::NOBODY).
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        *self == Self::NOBODY
    }
}

/// The empty text is nobody. Unused bits of the last character are ignored, as Go
/// clients do.
impl FromStr for KmsIdentity {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Ok(Self::NOBODY);
        }
        let encoded = text
            .strip_prefix(PREFIX)
            .ok_or(Error::Identity("it does not start with 'h1:'"))?;
        let hash = decode_base64url(encoded)
            .map_err(|_| Error::Identity("not URL-safe base64 without padding"))?;
        hash.as_slice()
            .try_into()
            .map(Self)
            .map_err(|_| Error::Identity("not 32 bytes"))
    }
}

impl fmt::Display for KmsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_nobody() {
            return Ok(());
        }
        f.write_str(PREFIX)?;
        f.write_str(&encode_base64url(&self.0))
    }
}

impl fmt::Debug for KmsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KmsIdentity({self})")
    }
}
