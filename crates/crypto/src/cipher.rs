use std::fmt;
use std::str::FromStr;

use aws_lc_rs::aead::{
    AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};

use crate::Error;

/// Bytes that authentication adds to a sealed plaintext, with either cipher.
pub(crate) const TAG_LEN: usize = 16;

/// Length of a nonce in bytes, with either cipher.
pub(crate) const NONCE_LEN: usize = 12;

/// The cipher of a key, fixed when the key is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cipher {
    /// AES-256-GCM (NIST SP 800-38D) under a key derived with HMAC-SHA-256.
    Aes256,
    /// ChaCha20-Poly1305 (RFC 8439) under a key derived with HChaCha20.
    ChaCha20,
}

impl Cipher {
    /// The cipher for new keys on this machine: AES-256 if the processor has
    /// AES and carry-less multiplication instructions, else ChaCha20.
    #[must_use]
    pub fn native() -> Self {
        if has_aes_instructions() {
            Self::Aes256
        } else {
            Self::ChaCha20
        }
    }

    /// The name used by the API, `AES256` or `ChaCha20`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aes256 => "AES256",
            Self::ChaCha20 => "ChaCha20",
        }
    }

    /// Writes `aead[key](nonce, plaintext, context)` to `sealed` and the
    /// authentication tag to `tag`; `sealed` is as long as `plaintext`.
    pub(crate) fn seal(
        self,
        key: &[u8; 32],
        nonce: [u8; NONCE_LEN],
        context: &[u8],
        plaintext: &[u8],
        sealed: &mut [u8],
        tag: &mut [u8; TAG_LEN],
    ) -> Result<(), Error> {
        self.aead_key(key)
            .and_then(|key| {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.seal_out_of_place_scatter(
                    nonce,
                    Aad::from(context),
                    plaintext,
                    sealed,
                    &[],
                    tag,
                )
                .ok()
            })
            .ok_or(Error::PlaintextTooLong)
    }

    /// The inverse of [`Cipher::seal`]; `plaintext` is as long as `sealed` and
    /// holds nothing useful after an error.
    pub(crate) fn open(
        self,
        key: &[u8; 32],
        nonce: [u8; NONCE_LEN],
        context: &[u8],
        sealed: &[u8],
        tag: &[u8],
        plaintext: &mut [u8],
    ) -> Result<(), Error> {
        self.aead_key(key)
            .and_then(|key| {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.open_separate_gather(nonce, Aad::from(context), sealed, tag, plaintext)
                    .ok()
            })
            .ok_or(Error::NotAuthentic)
    }

    fn aead_key(self, key: &[u8; 32]) -> Option<LessSafeKey> {
        UnboundKey::new(self.algorithm(), key)
            .ok()
            .map(LessSafeKey::new)
    }

    fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::Aes256 => &AES_256_GCM,
            Self::ChaCha20 => &CHACHA20_POLY1305,
        }
    }
}

impl fmt::Display for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Accepts the name and the long name that releases up to 2023-09-28 used.
impl FromStr for Cipher {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "AES256" | "AES256-GCM_SHA256" => Ok(Self::Aes256),
            "ChaCha20" | "XCHACHA20-POLY1305" => Ok(Self::ChaCha20),
            _ => Err(Error::UnknownCipher(name.to_owned())),
        }
    }
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn has_aes_instructions() -> bool {
    std::arch::is_x86_feature_detected!("aes") && std::arch::is_x86_feature_detected!("pclmulqdq")
}

#[cfg(target_arch = "aarch64")]
fn has_aes_instructions() -> bool {
    std::arch::is_aarch64_feature_detected!("aes")
        && std::arch::is_aarch64_feature_detected!("pmull")
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
fn has_aes_instructions() -> bool {
    false
}
