use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;

use crate::Error;

/// The most that HKDF-SHA-256 gives, in bytes (RFC 5869, section 2.3).
const MAX_OKM: usize = 255 * 32;

/// `HKDF-SHA-256[ikm](salt, info)` (RFC 5869): fills `out` with key material.
///
/// An empty salt means 32 zero bytes. Different uses of one `ikm` differ in `info`.
///
/// # Errors
/// [`Error::TooMuchKeyMaterial`] if `out` is longer than 8,160 bytes.
pub fn hkdf_sha256(ikm: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), Error> {
    if out.len() > MAX_OKM {
        return Err(Error::TooMuchKeyMaterial);
    }
    Salt::new(HKDF_SHA256, salt)
        .extract(ikm)
        .expand(&[info], Length(out.len()))
        .and_then(|okm| okm.fill(out))
        .map_err(|_| Error::TooMuchKeyMaterial)
}

/// `HMAC-SHA-256[key](message)` (RFC 2104).
#[must_use]
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut tag = [0; 32];
    tag.copy_from_slice(hmac::sign(&key, message).as_ref());
    tag
}

/// The length of the key material, in bytes.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}
