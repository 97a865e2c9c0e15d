use jiff::Timestamp;
use keystead_crypto::{Ed25519Key, Random, decode_base64, encode_base64};
use zeroize::Zeroizing;

use crate::certificate::{CertificateTemplate, PrivateKey, self_signed, spki};
use crate::{Error, Identity};

const PREFIX: &str = "kes:v1:";

/// The key type Ed25519, the only one there is.
const ED25519: u8 = 0;

/// A private key as one line of text (KES protocol, section 1.1):
/// `kes:v1:` followed by the base64 of a zero byte and a 32-byte Ed25519 seed.
pub struct ApiKey {
    key: Ed25519Key,
    identity: Identity,
}

impl ApiKey {
    /// The API key of a seed.
    ///
    /// # Errors
    /// [`Error::Crypto`] if the signature library refuses the seed.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, Error> {
        Ok(Self::new(Ed25519Key::from_seed(seed)?))
    }

    /// Draws a new API key.
    ///
    /// # Errors
    /// [`Error::Crypto`] if there is no randomness.
    pub fn generate(random: &dyn Random) -> Result<Self, Error> {
        Ok(Self::new(Ed25519Key::generate(random)?))
    }

    /// Reads the text of an API key. Clients accept it without `kes:v1:`, too.
    ///
    /// # Errors
    /// [`Error::ApiKey`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let encoded = text.strip_prefix(PREFIX).unwrap_or(text);
        let bytes = decode_base64(encoded.as_bytes()).map_err(|_| Error::ApiKey("not base64"))?;
        let (kind, seed) = bytes.split_first().ok_or(Error::ApiKey("no key"))?;
        let seed = seed.try_into().map_err(|_| Error::ApiKey("wrong length"))?;
        if *kind != ED25519 {
            return Err(Error::ApiKey("unknown key type"));
        }
        Self::from_seed(seed)
    }

    /// Reads a DER PKCS#8 private key.
    ///
    /// # Errors
    /// [`Error::Crypto`] unless it is an Ed25519 key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, Error> {
        Ok(Self::new(Ed25519Key::from_pkcs8(der)?))
    }

    /// The text of the API key, with `kes:v1:`.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([ED25519; 33]);
        for (to, from) in bytes.iter_mut().skip(1).zip(self.key.seed()) {
            *to = *from;
        }
        Zeroizing::new([PREFIX, &encode_base64(&*bytes)].concat())
    }

    /// Whose key this is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The private key in DER PKCS#8 form, for a TLS library.
    #[must_use]
    pub fn private_key_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        self.key.to_pkcs8()
    }

    /// A self-signed certificate for this key, in DER form, with a random
    /// serial number.
    ///
    /// # Errors
    /// [`Error::Template`] for names that no certificate can hold,
    /// [`Error::Crypto`] if there is no randomness.
    pub fn certificate(
        &self,
        template: &CertificateTemplate,
        random: &dyn Random,
    ) -> Result<Vec<u8>, Error> {
        let key = PrivateKey::Ed25519(&self.key);
        self_signed(key, self.identity.as_str(), template, random)
    }

    /// The certificate that a client presents: named after the identity, valid
    /// for 90 days, for nothing but client authentication (KES protocol,
    /// section 1.3).
    ///
    /// # Errors
    /// Those of [`certificate`](Self::certificate).
    pub fn client_certificate(
        &self,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Vec<u8>, Error> {
        let template = CertificateTemplate::client(now)?;
        self.certificate(&template, random)
    }

    fn new(key: Ed25519Key) -> Self {
        let identity = Identity::of_spki(&spki(PrivateKey::Ed25519(&key)));
        Self { key, identity }
    }
}
