use chacha20::{R20, hchacha};
use zeroize::Zeroizing;

use crate::{Cipher, Error, Random, digest::sha256, encoding::hex};

/// Length of every key in bytes.
pub(crate) const KEY_LEN: usize = 32;

/// Bytes that SHA-256 takes in at a time.
const SHA256_BLOCK_LEN: usize = 64;

/// Length of the value that a sub-key is derived from, in bytes.
pub(crate) const IV_LEN: usize = 16;

/// The 32 bytes that a named key consists of.
pub struct SecretKey(Key);

impl SecretKey {
    /// Takes a key as it is.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_LEN]) -> Self {
        Self(Key(Zeroizing::new(bytes)))
    }

    /// Draws a new key.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn generate(random: &dyn Random) -> Result<Self, Error> {
        Key::generate(random).map(Self)
    }

    /// `hex(SHA-256(key)[0..16])`, which old ciphertexts and old describe
    /// responses carry (KES protocol, section 5.6).
    #[must_use]
    pub fn id(&self) -> String {
        let digest = sha256(self.bytes());
        hex(digest.first_chunk::<16>().unwrap_or(&[0; 16]))
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_LEN] {
        &self.0.0
    }

    /// The key of one ciphertext: `HMAC-SHA-256[key](iv)` for AES-256,
    /// `HChaCha20[key](iv)` for ChaCha20 (KES protocol, section 5.2).
    pub(crate) fn subkey(&self, cipher: Cipher, iv: &[u8; IV_LEN]) -> Zeroizing<[u8; KEY_LEN]> {
        match cipher {
            Cipher::Aes256 => Zeroizing::new(self.0.mac(iv)),
            Cipher::ChaCha20 => {
                Zeroizing::new(hchacha::<R20>(self.bytes().into(), iv.into()).into())
            }
        }
    }
}

impl TryFrom<&[u8]> for SecretKey {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        Key::try_from(bytes).map(Self)
    }
}

/// The key behind the HMAC of a named key.
pub(crate) struct HmacKey(Key);

impl HmacKey {
    /// Draws a new key.
    pub(crate) fn generate(random: &dyn Random) -> Result<Self, Error> {
        Key::generate(random).map(Self)
    }

    /// `HMAC-SHA-256[key](message)` (RFC 2104).
    pub(crate) fn hmac(&self, message: &[u8]) -> [u8; 32] {
        self.0.mac(message)
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_LEN] {
        &self.0.0
    }
}

impl TryFrom<&[u8]> for HmacKey {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        Key::try_from(bytes).map(Self)
    }
}

/// 32 bytes and nothing else: a prepared HMAC context would cost every cached key
/// 1.2 KB.
struct Key(Zeroizing<[u8; KEY_LEN]>);

impl Key {
    fn generate(random: &dyn Random) -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        random.fill(&mut *bytes)?;
        Ok(Self(bytes))
    }

    /// HMAC-SHA-256 written as its two hashes (RFC 2104, section 2). The library's own
    /// is 1.2 KB of context to prepare, copy and wipe, and takes a third longer.
    fn mac(&self, message: &[u8]) -> [u8; KEY_LEN] {
        let hash = |pad: u8, message: &[u8]| {
            let mut block = Zeroizing::new([pad; SHA256_BLOCK_LEN]);
            for (byte, key) in block.iter_mut().zip(self.0.iter()) {
                *byte ^= key;
            }
            sha256(&Zeroizing::new([block.as_slice(), message].concat()))
        };
        hash(0x5c, &hash(0x36, message))
    }
}

impl TryFrom<&[u8]> for Key {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        let bytes: [u8; KEY_LEN] = bytes
            .try_into()
            .map_err(|_| Error::KeyLength(bytes.len()))?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}
