use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::ciphertext::Ciphertext;
use crate::key::{HmacKey, KEY_LEN};
use crate::sealed::{self, Drawn};
use crate::{Cipher, Error, Random, SecretKey};

mod json;
mod protobuf;

/// One key as a key store keeps it (KES protocol, section 5.7).
pub struct StoredKey {
    key: SecretKey,
    /// Releases up to v0.19.1 stored none and chose per request.
    cipher: Option<Cipher>,
    hmac_key: Option<HmacKey>,
    created_at: Timestamp,
    created_by: Box<str>,
}

impl StoredKey {
    /// Bytes that a ciphertext is longer than its plaintext.
    pub const OVERHEAD: usize = sealed::OVERHEAD;

    /// Makes a key of random bytes with an HMAC key of random bytes.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn generate(
        cipher: Cipher,
        random: &dyn Random,
        created_at: Timestamp,
        created_by: &str,
    ) -> Result<Self, Error> {
        let key = SecretKey::generate(random)?;
        Self::import(key, cipher, random, created_at, created_by)
    }

    /// Makes a key of known bytes with an HMAC key of random bytes.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn import(
        key: SecretKey,
        cipher: Cipher,
        random: &dyn Random,
        created_at: Timestamp,
        created_by: &str,
    ) -> Result<Self, Error> {
        Ok(Self {
            key,
            cipher: Some(cipher),
            hmac_key: Some(HmacKey::generate(random)?),
            created_at,
            created_by: created_by.into(),
        })
    }

    /// Reads the value of a key store entry, in the current format (protobuf in
    /// base64) or in the JSON format of releases before 2024-02-29.
    ///
    /// # Errors
    /// [`Error::MalformedKey`] for a value in neither format,
    /// [`Error::KeyLength`], [`Error::UnknownCipher`] and [`Error::Base64`] for
    /// its parts.
    pub fn decode(value: &[u8]) -> Result<Self, Error> {
        match value.trim_ascii_start().first() {
            Some(b'{') => json::decode(value),
            _ => protobuf::decode(value),
        }
    }

    /// The value of a key store entry, in the current format.
    ///
    /// A key without HMAC key stays one. The original KES server cannot read the
    /// current format without HMAC key, so keys are copied between key stores as
    /// they are and not encoded anew.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<String> {
        protobuf::encode(self)
    }

    /// The cipher that seals; AES-256 if the key was stored without one.
    #[must_use]
    pub fn cipher(&self) -> Cipher {
        self.cipher.unwrap_or(Cipher::Aes256)
    }

    /// When the key was made. Unknown is 1970-01-01T00:00:00Z in the current
    /// format and 0001-01-01T00:00:00Z in the JSON format.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// The identity that made the key, empty if unknown.
    #[must_use]
    pub fn created_by(&self) -> &str {
        &self.created_by
    }

    /// The key itself, without the HMAC key, for a store that takes nothing else.
    #[must_use]
    pub fn secret_key(&self) -> &SecretKey {
        &self.key
    }

    /// Whether there is an HMAC key. Keys stored before 2024-02-29 have none.
    #[must_use]
    pub fn has_hmac_key(&self) -> bool {
        self.hmac_key.is_some()
    }

    /// The [id](SecretKey::id) of the secret key.
    #[must_use]
    pub fn id(&self) -> String {
        self.key.id()
    }

    /// `seal[key](plaintext, context)`: encrypts and authenticates `plaintext`,
    /// authenticates `context` with it (KES protocol, section 5.2).
    ///
    /// The result is [`OVERHEAD`](Self::OVERHEAD) bytes longer than the
    /// plaintext: encrypted bytes, 16 bytes tag, 16 bytes iv, 12 bytes nonce.
    /// Every call derives its own key from a random iv, so the number of
    /// ciphertexts per key has no practical limit.
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
        sealed::seal(&self.key, self.cipher(), drawn, plaintext, context)
    }

    /// Draws a data key: its bytes, and what [`seal`](Self::seal) makes of them.
    ///
    /// # Errors
    /// [`Error::NoRandomness`], [`Error::PlaintextTooLong`].
    pub fn data_key(
        &self,
        random: &dyn Random,
        context: &[u8],
    ) -> Result<(Zeroizing<[u8; KEY_LEN]>, Vec<u8>), Error> {
        // One draw for all, because a draw costs more than its bytes: the generator
        // takes prediction resistance from the processor each time.
        let mut drawn = Zeroizing::new([0; KEY_LEN + Drawn::LEN]);
        random.fill(&mut *drawn)?;
        let mut drawn = drawn.iter().copied();
        let data_key = Zeroizing::new(sealed::take(&mut drawn));
        let drawn = Drawn::take(&mut drawn);
        let ciphertext = sealed::seal(&self.key, self.cipher(), drawn, &*data_key, context)?;
        Ok((data_key, ciphertext))
    }

    /// The inverse of [`seal`](Self::seal). Opens also the JSON and MessagePack
    /// ciphertexts of releases before 2024-02 (KES protocol, section 5.3).
    ///
    /// # Errors
    /// [`Error::NotAuthentic`], whatever is wrong with the ciphertext.
    pub fn open(&self, ciphertext: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let ciphertext = Ciphertext::parse(ciphertext).ok_or(Error::NotAuthentic)?;
        let cipher = self.cipher.or(ciphertext.tag).unwrap_or(Cipher::Aes256);
        sealed::open(&self.key, cipher, &ciphertext, context)
    }

    /// `HMAC-SHA-256[HMAC key](message)`.
    ///
    /// # Errors
    /// [`Error::NoHmacKey`] if the key was stored by a release before
    /// 2024-02-29.
    pub fn hmac(&self, message: &[u8]) -> Result<[u8; 32], Error> {
        self.hmac_key
            .as_ref()
            .map(|key| key.hmac(message))
            .ok_or(Error::NoHmacKey)
    }
}
