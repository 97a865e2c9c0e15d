use crate::Cipher;

/// Which primitives may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// All that this crate has.
    #[default]
    Standard,
    /// Those that FIPS 140-3 approves: no ChaCha20, no Ed25519.
    Fips,
}

impl Mode {
    /// Whether `cipher` may seal and open.
    #[must_use]
    pub fn allows(self, cipher: Cipher) -> bool {
        match self {
            Self::Standard => true,
            Self::Fips => cipher == Cipher::Aes256,
        }
    }
}
