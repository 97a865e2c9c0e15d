use zeroize::Zeroizing;

use crate::pem_file::{CERTIFICATE, PRIVATE_KEY, blocks};
use crate::{Error, KmsApiKey, KmsIdentity, certificates_from_pem};

/// What a PEM file says about somebody, in the terms of MinIO KMS.
pub enum KmsCredential {
    /// A certificate, of which only the identity matters.
    Certificate(KmsIdentity),
    /// A private key.
    PrivateKey(KmsApiKey),
}

impl KmsCredential {
    /// Reads the first block that is a certificate or whose type contains
    /// `PRIVATE KEY`; other blocks before it are skipped.
    ///
    /// # Errors
    /// [`Error::Pem`], [`Error::NoPemBlock`], [`Error::Certificate`], and
    /// [`Error::PrivateKey`] for a private key that cannot be an API key.
    pub fn from_pem(file: &[u8]) -> Result<Self, Error> {
        for block in blocks(file)? {
            if block.tag() == CERTIFICATE {
                return KmsIdentity::of_certificate(block.contents()).map(Self::Certificate);
            }
            if block.tag().contains(PRIVATE_KEY) {
                let der = Zeroizing::new(block.into_contents());
                return KmsApiKey::from_der(&der).map(Self::PrivateKey);
            }
        }
        Err(Error::NoPemBlock("certificate or private key"))
    }

    /// Whose certificate or key it is.
    #[must_use]
    pub fn identity(&self) -> KmsIdentity {
        match self {
            Self::Certificate(identity) => *identity,
            Self::PrivateKey(key) => key.identity(),
        }
    }
}

impl KmsIdentity {
    /// The identity of the first certificate of a PEM file, all blocks of which are
    /// certificates.
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
