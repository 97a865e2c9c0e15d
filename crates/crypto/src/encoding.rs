use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use crate::Error;

/// What servers and clients of KES agree on for bytes in text: the standard
/// alphabet, padding mandatory, the unused bits of the last character ignored.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// What servers and clients of MinIO KMS agree on for API keys and identities: the
/// URL-safe alphabet, padding refused, the unused bits of the last character ignored.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes base64 as KES peers do: standard alphabet, padding mandatory, CR and
/// LF skipped anywhere, non-zero trailing bits tolerated (KES protocol,
/// sections 3.3 and 5.7).
///
/// # Errors
/// [`Error::Base64`].
pub fn decode_base64(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let decoded = if text.contains(&b'\n') || text.contains(&b'\r') {
        let mut joined = Zeroizing::new(Vec::with_capacity(text.len()));
        joined.extend(text.iter().filter(|byte| !matches!(byte, b'\r' | b'\n')));
        BASE64.decode(&*joined)
    } else {
        BASE64.decode(text)
    };
    decoded.map(Zeroizing::new).map_err(|_| Error::Base64)
}

/// Encodes as padded base64 of the standard alphabet.
#[must_use]
pub fn encode_base64(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(BASE64.encode(bytes))
}

/// Decodes URL-safe base64 without padding (RFC 4648, section 5); non-zero trailing
/// bits are tolerated.
///
/// # Errors
/// [`Error::Base64`].
pub fn decode_base64url(text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    BASE64URL
        .decode(text)
        .map(Zeroizing::new)
        .map_err(|_| Error::Base64)
}

/// Encodes as URL-safe base64 without padding.
#[must_use]
pub fn encode_base64url(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(BASE64URL.encode(bytes))
}

/// Lower-case hexadecimal digits, as identities and key ids are written.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}
