use std::fmt;
use std::str::FromStr;

use keystead_crypto::Random;

use crate::Error;

/// The name that a cluster gives itself when it is made: a UUID (RFC 9562).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ClusterId([u8; 16]);

impl ClusterId {
    /// Draws a UUID of version 4.
    ///
    /// # Errors
    /// [`Error::Crypto`] if there is no randomness.
    pub fn generate(random: &dyn Random) -> Result<Self, Error> {
        let mut bytes = [0; 16];
        random.fill(&mut bytes)?;
        let [.., version, _, variant, _, _, _, _, _, _, _] = &mut bytes;
        *version = (*version & 0x0f) | 0x40;
        *variant = (*variant & 0x3f) | 0x80;
        Ok(Self(bytes))
    }

    /// An identifier as it is stored; any 16 bytes are one.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// `00112233-4455-6677-8899-aabbccddeeff`
impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = u128::from_be_bytes(self.0);
        let part = |shift: u32, bits: u32| (number >> shift) & ((1 << bits) - 1);
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            part(96, 32),
            part(80, 16),
            part(64, 16),
            part(48, 16),
            part(0, 48)
        )
    }
}

/// Reads the form that `Display` writes, in any case.
impl FromStr for ClusterId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let lengths = [8, 4, 4, 4, 12];
        let mut parts = text.split('-');
        let shaped = lengths.into_iter().all(|length| {
            parts.next().is_some_and(|part| {
                part.len() == length && part.bytes().all(|digit| digit.is_ascii_hexdigit())
            })
        });
        if !shaped || parts.next().is_some() {
            return Err(Error::Identifier);
        }
        u128::from_str_radix(&text.replace('-', ""), 16)
            .map(|number| Self(number.to_be_bytes()))
            .map_err(|_| Error::Identifier)
    }
}
