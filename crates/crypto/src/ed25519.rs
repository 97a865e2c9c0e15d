use aws_lc_rs::encoding::{AsBigEndian, Curve25519SeedBin};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

use crate::{Error, Random};

/// DER in front of the seed: a version 1 `PrivateKeyInfo` for Ed25519
/// (RFC 8410, section 7).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// An Ed25519 private key (RFC 8032).
pub struct Ed25519Key {
    seed: Zeroizing<[u8; 32]>,
    pair: Ed25519KeyPair,
    public_key: [u8; 32],
}

impl Ed25519Key {
    /// The key of a seed. Every 32 bytes are a valid seed.
    ///
    /// # Errors
    /// [`Error::Pkcs8`] if the signature library refuses the seed, which it
    /// does for none.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| Error::Pkcs8)?;
        let public_key = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| Error::Pkcs8)?;
        let seed = Zeroizing::new(*seed);
        Ok(Self {
            seed,
            pair,
            public_key,
        })
    }

    /// Draws a new key.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn generate(random: &dyn Random) -> Result<Self, Error> {
        let mut seed = Zeroizing::new([0; 32]);
        random.fill(&mut *seed)?;
        Self::from_seed(&seed)
    }

    /// Reads a DER `PrivateKeyInfo`, with or without the public key.
    ///
    /// # Errors
    /// [`Error::Pkcs8`] for anything else, keys of other kinds included.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| Error::Pkcs8)?;
        let seed: Curve25519SeedBin<'_> = pair
            .seed()
            .and_then(|seed| seed.as_be_bytes())
            .map_err(|_| Error::Pkcs8)?;
        Self::from_seed(seed.as_ref().try_into().map_err(|_| Error::Pkcs8)?)
    }

    /// The key as a DER `PrivateKeyInfo` of version 1, which every TLS library
    /// reads.
    #[must_use]
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([PKCS8_PREFIX.as_slice(), self.seed.as_slice()].concat())
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.public_key
    }

    /// The 32 bytes that the key was made from, for the text of an API key.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// Signs `message`; the signature has 64 bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}
