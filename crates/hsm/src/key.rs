use keystead_crypto::{
    Cipher, EcdsaKey, Ed25519Key, Mode, Random, Sealer, SecretKey, decode_base64, encode_base64,
    hkdf_sha256,
};
use keystead_identity::KmsApiKey;
use zeroize::Zeroizing;

use crate::Error;

const AES256: &str = "hsm:aes256:";
const CHACHA20: &str = "hsm:chacha20:";

/// Characters of 32 bytes in padded base64.
const ENCODED_LEN: usize = 44;

const ROOT_ED25519: &[u8] = b"keystead/minkms/v1/hsm/root-ed25519";
const ROOT_P256: &[u8] = b"keystead/minkms/v1/hsm/root-p256";
const SEAL_AES256: &[u8] = b"keystead/minkms/v1/hsm/seal-aes256";
const SEAL_CHACHA20: &[u8] = b"keystead/minkms/v1/hsm/seal-chacha20";

/// The key of a software HSM: 32 bytes and the cipher that seals with them (D1).
///
/// Its text is `hsm:aes256:` or `hsm:chacha20:` and padded standard base64.
#[derive(Clone)]
pub struct HsmKey {
    cipher: Cipher,
    key: SecretKey,
}

impl HsmKey {
    /// Draws a new key.
    ///
    /// # Errors
    /// [`Error::Crypto`] if there is no randomness.
    pub fn generate(cipher: Cipher, random: &dyn Random) -> Result<Self, Error> {
        let key = SecretKey::generate(random)?;
        Ok(Self { cipher, key })
    }

    /// Reads the text of a key.
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (cipher, encoded) = if let Some(encoded) = text.strip_prefix(AES256) {
            (Cipher::Aes256, encoded)
        } else if let Some(encoded) = text.strip_prefix(CHACHA20) {
            (Cipher::ChaCha20, encoded)
        } else {
            let why = "it does not start with 'hsm:aes256:' or 'hsm:chacha20:'";
            return Err(Error::Key(why));
        };
        let wrong = |_| Error::Key("what follows the prefix is not 32 bytes in padded base64");
        if encoded.len() != ENCODED_LEN {
            return Err(wrong(keystead_crypto::Error::Base64));
        }
        let bytes = decode_base64(encoded.as_bytes()).map_err(wrong)?;
        let key = SecretKey::try_from(bytes.as_slice()).map_err(wrong)?;
        Ok(Self { cipher, key })
    }

    /// The text of the key in canonical form.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let prefix = match self.cipher {
            Cipher::Aes256 => AES256,
            Cipher::ChaCha20 => CHACHA20,
        };
        Zeroizing::new([prefix, &encode_base64(self.key.expose())].concat())
    }

    /// What it seals with.
    #[must_use]
    pub fn cipher(&self) -> Cipher {
        self.cipher
    }

    /// The root API key that belongs to this key, unless the configuration names another
    /// root identity (D2, D3): `k1:`, in FIPS mode `k2:`. It does not depend on the
    /// cipher.
    ///
    /// # Errors
    /// [`Error::Crypto`] if the signature library refuses the key, which it does for
    /// none.
    pub fn root_api_key(&self, mode: Mode) -> Result<KmsApiKey, Error> {
        match mode {
            Mode::Standard => {
                let seed = self.derive(ROOT_ED25519)?;
                Ok(Ed25519Key::from_seed(&seed)?.into())
            }
            Mode::Fips => {
                let okm = self.derive(ROOT_P256)?;
                Ok(EcdsaKey::p256_from_key_material(&okm)?.into())
            }
        }
    }

    /// What seals root encryption keys (D5).
    pub(crate) fn sealer(&self) -> Result<Sealer, Error> {
        let label = match self.cipher {
            Cipher::Aes256 => SEAL_AES256,
            Cipher::ChaCha20 => SEAL_CHACHA20,
        };
        let key = SecretKey::from_bytes(*self.derive(label)?);
        Ok(Sealer::with_cipher(key, self.cipher))
    }

    fn derive<const N: usize>(&self, label: &[u8]) -> Result<Zeroizing<[u8; N]>, Error> {
        let mut out = Zeroizing::new([0; N]);
        hkdf_sha256(self.key.expose(), &[], label, &mut *out)?;
        Ok(out)
    }
}
