use chacha20::{R20, hchacha};
use zeroize::Zeroizing;

use crate::{Cipher, Error, Random, hex, hmac_sha256, sha256};

/// Length of every key in bytes.
pub(crate) const KEY_LEN: usize = 32;

/// Length of the value that a sub-key is derived from, in bytes.
pub(crate) const IV_LEN: usize = 16;

/// The 32 bytes that a named key consists of.
#[derive(Clone)]
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
        let digest = sha256(self.expose());
        hex(digest.first_chunk::<16>().unwrap_or(&[0; 16]))
    }

    /// The bytes, to be sealed or handed to whoever needs them and to nobody else.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_LEN] {
        &self.0.0
    }

    /// The key of one ciphertext: `HMAC-SHA-256[key](iv)` for AES-256,
    /// `HChaCha20[key](iv)` for ChaCha20 (KES protocol, section 5.2).
    pub(crate) fn subkey(&self, cipher: Cipher, iv: &[u8; IV_LEN]) -> Zeroizing<[u8; KEY_LEN]> {
        match cipher {
            Cipher::Aes256 => Zeroizing::new(self.0.mac(iv)),
            Cipher::ChaCha20 => {
                Zeroizing::new(hchacha::<R20>(self.expose().into(), iv.into()).into())
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

/// 32 bytes and nothing else: the context of an HMAC is prepared for each use, because
/// kept it would cost every cached key 1.2 KB.
#[derive(Clone)]
struct Key(Zeroizing<[u8; KEY_LEN]>);

impl Key {
    fn generate(random: &dyn Random) -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        random.fill(&mut *bytes)?;
        Ok(Self(bytes))
    }

    fn mac(&self, message: &[u8]) -> [u8; KEY_LEN] {
        hmac_sha256(&*self.0, message)
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
