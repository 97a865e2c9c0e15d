//! PEM files (RFC 7468) with certificates and private keys.

use pem::{EncodeConfig, LineEnding, Pem};
use zeroize::Zeroizing;

use crate::{ApiKey, Error, Identity};

pub(crate) const CERTIFICATE: &str = "CERTIFICATE";
pub(crate) const PRIVATE_KEY: &str = "PRIVATE KEY";

/// What a PEM file says about somebody.
pub enum Credential {
    /// A certificate, of which only the identity matters.
    Certificate(Identity),
    /// A private key.
    PrivateKey(ApiKey),
}

impl Credential {
    /// Reads the first block that is a certificate or whose type contains
    /// `PRIVATE KEY`; other blocks before it are skipped (KES protocol,
    /// section 1.4).
    ///
    /// # Errors
    /// [`Error::Pem`], [`Error::NoPemBlock`], [`Error::Certificate`], and
    /// [`Error::Crypto`] for a private key that is not Ed25519 in PKCS#8 form.
    pub fn from_pem(file: &[u8]) -> Result<Self, Error> {
        for block in blocks(file)? {
            if block.tag() == CERTIFICATE {
                return Identity::of_certificate(block.contents()).map(Self::Certificate);
            }
            if block.tag().contains(PRIVATE_KEY) {
                let der = Zeroizing::new(block.into_contents());
                return ApiKey::from_pkcs8(&der).map(Self::PrivateKey);
            }
        }
        Err(Error::NoPemBlock("certificate or private key"))
    }
}

impl Identity {
    /// The identity of the first certificate of a PEM file, all blocks of which
    /// are certificates (KES protocol, section 1.4).
    ///
    /// # Errors
    /// Those of [`certificates_from_pem`] and [`Error::Certificate`].
    pub fn of_pem(file: &[u8]) -> Result<Self, Error> {
        let certificates = certificates_from_pem(file)?;
        let first = certificates
            .first()
            .ok_or(Error::NoPemBlock("certificate"))?;
        Self::of_certificate(first)
    }
}

impl ApiKey {
    /// The private key as a PEM file, in PKCS#8 form.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        private_key_to_pem(&self.private_key_pkcs8())
    }
}

/// The DER certificates of a PEM file that holds nothing else; at least one.
///
/// # Errors
/// [`Error::Pem`], [`Error::NotCertificate`], [`Error::NoPemBlock`].
pub fn certificates_from_pem(file: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let certificates = blocks(file)?
        .into_iter()
        .map(|block| match block.tag() {
            CERTIFICATE => Ok(block.into_contents()),
            other => Err(Error::NotCertificate(other.to_owned())),
        })
        .collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() {
        return Err(Error::NoPemBlock("certificate"));
    }
    Ok(certificates)
}

/// A DER certificate as a PEM file.
#[must_use]
pub fn certificate_to_pem(der: &[u8]) -> String {
    encode(&Pem::new(CERTIFICATE, der))
}

/// A DER PKCS#8 private key as a PEM file.
pub(crate) fn private_key_to_pem(pkcs8: &[u8]) -> Zeroizing<String> {
    let block = Pem::new(PRIVATE_KEY, pkcs8);
    let text = Zeroizing::new(encode(&block));
    drop(Zeroizing::new(block.into_contents()));
    text
}

fn encode(block: &Pem) -> String {
    pem::encode_config(block, EncodeConfig::new().set_line_ending(LineEnding::LF))
}

pub(crate) fn blocks(file: &[u8]) -> Result<Vec<Pem>, Error> {
    pem::parse_many(file).map_err(|error| Error::Pem(error.to_string()))
}
