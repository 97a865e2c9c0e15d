use std::fmt;
use std::sync::Arc;

use keystead_crypto::{hex, sha256};

use crate::Error;
use crate::certificate::parse;

/// Name of a peer: the fingerprint of its public key, or, in configuration, any
/// text that nobody's key can match, such as `disabled`.
///
/// The fingerprint is the SHA-256 of the DER SubjectPublicKeyInfo as 64 lower
/// case hexadecimal digits (KES protocol, section 1.2). Identities are compared
/// byte for byte: upper-case digits match nobody.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(Arc<str>);

impl Identity {
    /// The identity of whoever holds the key of `spki_der`, a complete
    /// SubjectPublicKeyInfo as it stands in the certificate.
    #[must_use]
    pub fn of_spki(spki_der: &[u8]) -> Self {
        Self(hex(&sha256(spki_der)).into())
    }

    /// The identity of whoever holds the key of a certificate. Validity,
    /// usages, names and chain play no role.
    ///
    /// # Errors
    /// [`Error::Certificate`].
    pub fn of_certificate(der: &[u8]) -> Result<Self, Error> {
        Ok(Self::of_spki(parse(der)?.public_key().raw))
    }

    /// The text as configured or computed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether somebody's key may have this identity: 64 lower-case hexadecimal
    /// digits.
    #[must_use]
    pub fn is_fingerprint(&self) -> bool {
        self.0.len() == 64
            && self
                .0
                .bytes()
                .all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
    }
}

impl From<&str> for Identity {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
