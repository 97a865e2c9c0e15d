use zeroize::Zeroizing;

use crate::ciphertext::Ciphertext;
use crate::sealed;
use crate::{Cipher, Error, Mode, Random, SecretKey};

/// One version of a named key of MinIO KMS.
#[derive(Clone)]
pub struct KeyVersion {
    /// Its number, from 1.
    pub version: u32,
    /// What it seals with.
    pub cipher: Cipher,
    /// Its 32 bytes.
    pub key: SecretKey,
    /// Whether the bytes came from outside, and so possibly with the wrong cipher.
    pub imported: bool,
}

impl KeyVersion {
    /// Draws a new version.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn generate(version: u32, cipher: Cipher, random: &dyn Random) -> Result<Self, Error> {
        Ok(Self {
            version,
            cipher,
            key: SecretKey::generate(random)?,
            imported: false,
        })
    }

    pub(crate) fn number(&self) -> u32 {
        self.version
    }

    /// Tries the formats in the order of D9: the old one, if the ciphertext looks like
    /// it, then the layout of section 5.5.
    pub(crate) fn open(
        &self,
        mode: Mode,
        old: Option<&Ciphertext<'_>>,
        raw: &Ciphertext<'_>,
        context: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let other = match self.cipher {
            Cipher::Aes256 => Cipher::ChaCha20,
            Cipher::ChaCha20 => Cipher::Aes256,
        };
        let old = old.and_then(|old| Some((old.tag?, old)));
        [
            old,
            Some((self.cipher, raw)),
            self.imported.then_some((other, raw)),
        ]
        .into_iter()
        .flatten()
        .filter(|(cipher, _)| mode.allows(*cipher))
        .find_map(|(cipher, ciphertext)| sealed::open(&self.key, cipher, ciphertext, context).ok())
    }
}
