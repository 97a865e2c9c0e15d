use jiff::Timestamp;
use keystead_crypto::{Curve, EcdsaKey, Ed25519Key, Random, decode_base64url, encode_base64url};
use zeroize::Zeroizing;

use crate::certificate::{CertificateTemplate, PrivateKey, self_signed, spki};
use crate::pem_file::private_key_to_pem;
use crate::{Error, KmsIdentity};

const ED25519_PREFIX: &str = "k1:";
const ECDSA_PREFIX: &str = "k2:";

/// A private key of MinIO KMS as one line of text (MinIO KMS protocol, section 1.1):
/// `k1:` and a 32-byte Ed25519 seed, or `k2:` and the scalar of an elliptic curve,
/// both in unpadded URL-safe base64.
///
/// One key has several texts, so keys are told apart by their identities.
pub struct KmsApiKey {
    key: Key,
    identity: KmsIdentity,
}

enum Key {
    Ed25519(Ed25519Key),
    Ecdsa(EcdsaKey),
}

// === impl KmsApiKey ===

impl KmsApiKey {
    /// The API key `k1:` of a seed.
    ///
    /// # Errors
    /// [`Error::Crypto`] if the signature library refuses the seed.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, Error> {
        Ok(Ed25519Key::from_seed(seed)?.into())
    }

    /// Draws a new API key `k1:`.
    ///
    /// # Errors
    /// [`Error::Crypto`] if there is no randomness.
    pub fn generate(random: &dyn Random) -> Result<Self, Error> {
        Ok(Ed25519Key::generate(random)?.into())
    }

    /// Draws a new API key `k2:`.
    ///
    /// # Errors
    /// [`Error::Crypto`] if there is no randomness.
    pub fn generate_on(curve: Curve, random: &dyn Random) -> Result<Self, Error> {
        Ok(EcdsaKey::generate(curve, random)?.into())
    }

    /// Reads the text of an API key. Unused bits of the last character are ignored, as
    /// Go clients do.
    ///
    /// # Errors
    /// [`Error::ApiKey`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let decode = |encoded| {
            decode_base64url(encoded)
                .map_err(|_| Error::ApiKey("not URL-safe base64 without padding"))
        };
        if let Some(encoded) = text.strip_prefix(ED25519_PREFIX) {
            let bytes = decode(encoded)?;
            let seed = bytes
                .as_slice()
                .try_into()
                .map_err(|_| Error::ApiKey("not 32 bytes"))?;
            return Self::from_seed(seed);
        }
        if let Some(encoded) = text.strip_prefix(ECDSA_PREFIX) {
            let key = EcdsaKey::from_scalar(&decode(encoded)?)
                .map_err(|_| Error::ApiKey("not a private key of P-256, P-384 or P-521"))?;
            return Ok(key.into());
        }
        Err(Error::ApiKey("it does not start with 'k1:' or 'k2:'"))
    }

    /// Reads a DER private key: PKCS#8 of Ed25519 or of an elliptic curve, or SEC 1.
    ///
    /// # Errors
    /// [`Error::PrivateKey`] for keys of any other kind.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        Ed25519Key::from_pkcs8(der)
            .map(Self::from)
            .or_else(|_| EcdsaKey::from_der(der).map(Self::from))
            .map_err(|_| Error::PrivateKey)
    }

    /// The text of the API key in canonical form.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let (prefix, bytes) = match &self.key {
            Key::Ed25519(key) => (ED25519_PREFIX, key.seed().as_slice()),
            Key::Ecdsa(key) => (ECDSA_PREFIX, key.scalar()),
        };
        Zeroizing::new([prefix, &encode_base64url(bytes)].concat())
    }

    /// Whose key this is.
    #[must_use]
    pub fn identity(&self) -> KmsIdentity {
        self.identity
    }

    /// Whether FIPS 140-3 approves keys of this kind: those of `k2:`.
    #[must_use]
    pub fn is_fips(&self) -> bool {
        matches!(self.key, Key::Ecdsa(_))
    }

    /// The private key in DER PKCS#8 form, for a TLS library.
    ///
    /// # Errors
    /// [`Error::Crypto`] if the signature library cannot write it.
    pub fn private_key_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        match &self.key {
            Key::Ed25519(key) => Ok(key.to_pkcs8()),
            Key::Ecdsa(key) => Ok(key.to_pkcs8()?),
        }
    }

    /// The private key as a PEM file, in PKCS#8 form.
    ///
    /// # Errors
    /// Those of [`private_key_pkcs8`](Self::private_key_pkcs8).
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        Ok(private_key_to_pem(&self.private_key_pkcs8()?))
    }

    /// A self-signed certificate for this key, in DER form, with a random serial
    /// number.
    ///
    /// # Errors
    /// [`Error::Template`] for names that no certificate can hold, [`Error::Crypto`] if
    /// there is no randomness.
    pub fn certificate(
        &self,
        template: &CertificateTemplate,
        random: &dyn Random,
    ) -> Result<Vec<u8>, Error> {
        self_signed(
            self.key.by_ref(),
            &self.identity.to_string(),
            template,
            random,
        )
    }

    /// The certificate that a client presents: named after the identity, valid for 90
    /// days, for nothing but client authentication (section 1.3).
    ///
    /// # Errors
    /// Those of [`certificate`](Self::certificate).
    pub fn client_certificate(
        &self,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Vec<u8>, Error> {
        self.certificate(&CertificateTemplate::client(now)?, random)
    }

    fn new(key: Key) -> Self {
        let identity = KmsIdentity::of_spki(&spki(key.by_ref()));
        Self { key, identity }
    }
}

impl From<Ed25519Key> for KmsApiKey {
    fn from(key: Ed25519Key) -> Self {
        Self::new(Key::Ed25519(key))
    }
}

impl From<EcdsaKey> for KmsApiKey {
    fn from(key: EcdsaKey) -> Self {
        Self::new(Key::Ecdsa(key))
    }
}

// === impl Key ===

impl Key {
    fn by_ref(&self) -> PrivateKey<'_> {
        match self {
            Self::Ed25519(key) => PrivateKey::Ed25519(key),
            Self::Ecdsa(key) => PrivateKey::Ecdsa(key),
        }
    }
}
