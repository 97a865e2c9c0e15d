//! The file that holds a whole state and moves it between clusters (MinIO KMS
//! protocol, section 0.4).
//!
//! ```text
//! "KSTDBAK1" || length of header, 4 bytes big-endian || header (JSON) || stream
//! ```
//!
//! The header names the HSMs that can open the root key; the stream is sealed under a
//! key made of it and bound to every byte before. Writing and reading block; nothing of
//! a file is given away before it was read to its end.

mod error;
mod header;
mod reader;
mod records;
mod source;
#[cfg(test)]
mod tests;
mod writer;

pub use error::Error;
pub use header::{Header, Origin};
pub use reader::Reader;
pub(crate) use records::{decode_records, encode_records};
pub use writer::write;

use keystead_crypto::{SecretKey, hkdf_sha256};
use zeroize::Zeroizing;

/// What every backup starts with.
const MAGIC: &[u8; 8] = b"KSTDBAK1";

/// The longest header, in bytes.
const MAX_HEADER: u32 = 1 << 20;

const STREAM_LABEL: &[u8] = b"keystead/minkms/v1/backup-stream";

/// `HKDF-SHA-256[backup key](salt, label)`: a key for one stream only.
fn stream_key(
    backup_key: &SecretKey,
    salt: &[u8; 32],
) -> Result<SecretKey, keystead_crypto::Error> {
    let mut key = Zeroizing::new([0; 32]);
    hkdf_sha256(backup_key.expose(), salt, STREAM_LABEL, &mut *key)?;
    Ok(SecretKey::from_bytes(*key))
}
