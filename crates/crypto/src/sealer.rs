use zeroize::Zeroizing;

use crate::ciphertext::Ciphertext;
use crate::sealed::{self, Drawn};
use crate::{Cipher, Error, Random, SecretKey};

/// Seals records of any number under one key of 32 bytes.
///
/// Every record has a key of its own, derived from a random iv, so there is no
/// budget of nonces to keep. The layout is that of a data ciphertext (MinIO KMS
/// protocol, section 5.5).
#[derive(Clone)]
pub struct Sealer {
    key: SecretKey,
    cipher: Cipher,
}

impl Sealer {
    /// Bytes that a sealed record is longer than its plaintext.
    pub const OVERHEAD: usize = sealed::OVERHEAD;

    /// Seals with AES-256-GCM.
    #[must_use]
    pub fn new(key: SecretKey) -> Self {
        Self::with_cipher(key, Cipher::Aes256)
    }

    /// Seals with `cipher`.
    #[must_use]
    pub fn with_cipher(key: SecretKey, cipher: Cipher) -> Self {
        Self { key, cipher }
    }

    /// `seal[key](plaintext, context)`: encrypts and authenticates `plaintext`,
    /// authenticates `context`, which says where the record belongs.
    ///
    /// # Errors
    /// [`Error::NoRandomness`], [`Error::PlaintextTooLong`].
    pub fn seal(
        &self,
        random: &dyn Random,
        plaintext: &[u8],
        context: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let drawn = Drawn::draw(random)?;
        sealed::seal(&self.key, self.cipher, drawn, plaintext, context)
    }

    /// The inverse of [`seal`](Self::seal).
    ///
    /// # Errors
    /// [`Error::NotAuthentic`], whatever is wrong with the record.
    pub fn open(&self, record: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let record = Ciphertext::parse_raw(record).ok_or(Error::NotAuthentic)?;
        sealed::open(&self.key, self.cipher, &record, context)
    }
}
