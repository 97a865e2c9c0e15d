use std::borrow::Borrow;
use std::str;

use data_encoding::BASE64URL_NOPAD;
use keystead_identity::KmsIdentity;

const PREFIX: &[u8; 3] = b"h1:";

/// An identity as its text, by which listings are sorted: the order of the bytes would
/// be another one.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct IdentityName([u8; KmsIdentity::TEXT_LEN]);

// === impl IdentityName ===

impl IdentityName {
    pub(crate) fn as_str(&self) -> &str {
        // ASCII by construction.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl From<&KmsIdentity> for IdentityName {
    fn from(identity: &KmsIdentity) -> Self {
        let mut text = [0; KmsIdentity::TEXT_LEN];
        let (prefix, encoded) = text.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX);
        BASE64URL_NOPAD.encode_mut(identity.as_bytes(), encoded);
        Self(text)
    }
}

/// The order of the text is that of its bytes.
impl Borrow<str> for IdentityName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}
