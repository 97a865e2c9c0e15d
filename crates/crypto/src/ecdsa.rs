use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521};
use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair,
};
use zeroize::Zeroizing;

use crate::p256_scalar::{OKM_LEN, p256_scalar};
use crate::{Error, Random};

/// How often a scalar is drawn before the source of randomness is given up; a good one
/// misses the group order less than once in 2^32 draws.
const MAX_DRAWS: usize = 16;

/// A curve of FIPS 186-5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// P-256, signs with SHA-256.
    P256,
    /// P-384, signs with SHA-384.
    P384,
    /// P-521, signs with SHA-512.
    P521,
}

/// An ECDSA private key (FIPS 186-5).
pub struct EcdsaKey {
    curve: Curve,
    scalar: Zeroizing<Vec<u8>>,
    pair: EcdsaKeyPair,
}

// === impl Curve ===

impl Curve {
    const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    /// Length of a private key, in bytes.
    #[must_use]
    pub const fn scalar_len(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The bits of the first byte of a private key that may be set.
    const fn first_byte_mask(self) -> u8 {
        match self {
            Self::P256 | Self::P384 => 0xff,
            Self::P521 => 0x01,
        }
    }

    fn agreement(self) -> &'static agreement::Algorithm {
        match self {
            Self::P256 => &ECDH_P256,
            Self::P384 => &ECDH_P384,
            Self::P521 => &ECDH_P521,
        }
    }

    fn signing(self) -> &'static EcdsaSigningAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
            Self::P384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
            Self::P521 => &ECDSA_P521_SHA512_ASN1_SIGNING,
        }
    }
}

// === impl EcdsaKey ===

impl EcdsaKey {
    /// The key of a big-endian scalar, whose length alone says the curve: 32 bytes
    /// P-256, 48 P-384, 66 P-521.
    ///
    /// # Errors
    /// [`Error::EcKey`] for other lengths, for 0 and for the group order or more.
    pub fn from_scalar(scalar: &[u8]) -> Result<Self, Error> {
        let curve = Curve::ALL
            .into_iter()
            .find(|curve| curve.scalar_len() == scalar.len())
            .ok_or(Error::EcKey)?;
        // The only way from a scalar alone to its point.
        let point = agreement::PrivateKey::from_private_key(curve.agreement(), scalar)
            .map_err(|_| Error::EcKey)?
            .compute_public_key()
            .map_err(|_| Error::EcKey)?;
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(curve.signing(), scalar, point.as_ref())
                .map_err(|_| Error::EcKey)?;
        Ok(Self {
            curve,
            scalar: Zeroizing::new(scalar.to_vec()),
            pair,
        })
    }

    /// Draws a new key.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn generate(curve: Curve, random: &dyn Random) -> Result<Self, Error> {
        let mut scalar = Zeroizing::new(vec![0; curve.scalar_len()]);
        for _ in 0..MAX_DRAWS {
            random.fill(&mut scalar)?;
            if let Some(first) = scalar.first_mut() {
                *first &= curve.first_byte_mask();
            }
            if let Ok(key) = Self::from_scalar(&scalar) {
                return Ok(key);
            }
        }
        Err(Error::NoRandomness)
    }

    /// The P-256 key of 48 bytes of key material:
    /// `(okm mod (n - 1)) + 1` (FIPS 186-5, section A.2.1).
    ///
    /// # Errors
    /// [`Error::EcKey`] if the signature library refuses the scalar, which it does for
    /// none.
    pub fn p256_from_key_material(okm: &[u8; OKM_LEN]) -> Result<Self, Error> {
        Self::from_scalar(&*p256_scalar(okm))
    }

    /// Reads a DER `PrivateKeyInfo` (RFC 5208) or `ECPrivateKey` (RFC 5915).
    ///
    /// # Errors
    /// [`Error::EcKey`] for anything else, keys of other kinds included.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let pair = Curve::ALL
            .into_iter()
            .find_map(|curve| EcdsaKeyPair::from_private_key_der(curve.signing(), der).ok())
            .ok_or(Error::EcKey)?;
        let scalar: EcPrivateKeyBin<'_> =
            pair.private_key().as_be_bytes().map_err(|_| Error::EcKey)?;
        Self::from_scalar(scalar.as_ref())
    }

    /// The key as a DER `PrivateKeyInfo` of version 1, which every TLS library reads.
    ///
    /// # Errors
    /// [`Error::EcKey`] if the signature library cannot write it.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let document = self.pair.to_pkcs8v1().map_err(|_| Error::EcKey)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// The curve.
    #[must_use]
    pub fn curve(&self) -> Curve {
        self.curve
    }

    /// The private key, big-endian, as long as its curve wants it.
    #[must_use]
    pub fn scalar(&self) -> &[u8] {
        &self.scalar
    }

    /// The public key as an uncompressed point (SEC 1, section 2.3.3).
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// Signs `message`; the signature is in ASN.1 form. The signature library draws
    /// the nonce.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.pair
            .sign(&SystemRandom::new(), message)
            .map(|signature| signature.as_ref().to_vec())
            .map_err(|_| Error::NoRandomness)
    }
}
