//! Certificates and private keys in PEM files.

use std::fs;
use std::path::{Path, PathBuf};

use keystead_crypto::Secret;
use keystead_identity::certificates_from_pem;
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::{Error, rfc1423};

/// PEM text, or the file that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pem {
    /// The file.
    File(PathBuf),
    /// The text.
    Text(Secret),
}

/// What text is called that is in no file.
const NO_FILE: &str = "PEM text";

impl Pem {
    fn read(&self) -> Result<(&Path, Zeroizing<Vec<u8>>), Error> {
        Ok(match self {
            Self::File(path) => (path, content(path)?),
            Self::Text(text) => {
                let content = Zeroizing::new(text.expose().as_bytes().to_vec());
                (Path::new(NO_FILE), content)
            }
        })
    }

    /// The certificates of a text, which may hold nothing else and must hold one.
    pub(crate) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        let (path, content) = self.read()?;
        let chain = certificates_from_pem(&content)
            .map_err(|error| Error::invalid(path, error.to_string()))?;
        Ok(chain.into_iter().map(CertificateDer::from).collect())
    }

    /// The first private key of a text, which may hold certificates as well.
    ///
    /// PKCS #8, SEC 1 and PKCS #1, each plain or under a password (RFC 1423, PBES2 of RFC 8018).
    /// `password` is asked only when it is needed.
    pub(crate) fn private_key(
        &self,
        password: &dyn Fn() -> Result<Secret, Error>,
    ) -> Result<PrivateKeyDer<'static>, Error> {
        let (path, content) = self.read()?;
        let mut key = None;
        for block in
            pem::parse_many(&*content).map_err(|error| Error::invalid(path, error.to_string()))?
        {
            match block.tag() {
                "CERTIFICATE" => {}
                tag if tag == "PRIVATE KEY" || tag.ends_with(" PRIVATE KEY") => {
                    key.get_or_insert(block);
                }
                tag => {
                    return Err(Error::invalid(
                        path,
                        format!("unexpected PEM block '{tag}'"),
                    ));
                }
            }
        }
        let key = key.ok_or_else(|| Error::invalid(path, "no PEM private key found"))?;
        let der = if key.tag() == "ENCRYPTED PRIVATE KEY" {
            EncryptedPrivateKeyInfoRef::try_from(key.contents())
                .map_err(|error| Error::invalid(path, error.to_string()))?
                .decrypt(password()?.expose())
                .map(|document| Zeroizing::new(document.as_bytes().to_vec()))
                .map_err(|_| Error::IncorrectPassword)?
        } else if rfc1423::is_encrypted(&key) {
            rfc1423::decrypt(&key, &password()?)?
        } else {
            Zeroizing::new(key.into_contents())
        };
        PrivateKeyDer::try_from(der.to_vec()).map_err(|reason| Error::invalid(path, reason))
    }
}

/// The certificates of a file, which may hold nothing else and must hold one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    Pem::File(path.to_owned()).certificates()
}

/// The certificates of a file, or of all files of a directory; sub-directories are skipped.
pub(crate) fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    if !path.is_dir() {
        return certificates(path);
    }
    let mut authorities = Vec::new();
    for entry in fs::read_dir(path).map_err(|source| Error::read(path, source))? {
        let file = entry.map_err(|source| Error::read(path, source))?.path();
        if !file.is_dir() {
            authorities.extend(certificates(&file)?);
        }
    }
    Ok(authorities)
}

/// The first private key of a file.
pub(crate) fn private_key(
    path: &Path,
    password: &dyn Fn() -> Result<Secret, Error>,
) -> Result<PrivateKeyDer<'static>, Error> {
    Pem::File(path.to_owned()).private_key(password)
}

fn content(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(content) => Ok(Zeroizing::new(content)),
        Err(source) => Err(Error::read(path, source)),
    }
}
