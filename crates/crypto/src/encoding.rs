use base64::alphabet;
use base64::engine::{Engine, GeneralPurpose, GeneralPurposeConfig};
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use crate::Error;

/// What servers and clients of KES agree on for bytes in text: the standard
/// alphabet, padding mandatory, the unused bits of the last character ignored.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
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

/// Lower-case hexadecimal digits, as identities and key ids are written.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}
