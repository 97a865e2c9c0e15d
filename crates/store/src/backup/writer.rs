use std::io::Write;

use keystead_crypto::{ChannelWriter, Cipher, Random, SecretKey, sha256};

use super::records::write_records;
use super::{Error, Header, MAGIC, MAX_HEADER, Origin, stream_key};
use crate::State;

/// Writes a state as a backup and gives the destination back, flushed.
///
/// `backup_key` is the sub-key of `origin.root_key` for backups.
///
/// # Errors
///
/// [`Error::NoEntry`], [`Error::Io`], [`Error::Crypto`].
pub fn write<W: Write>(
    state: &State,
    origin: &Origin,
    backup_key: &SecretKey,
    random: &dyn Random,
    mut out: W,
) -> Result<W, Error> {
    let mut origin = origin.clone();
    let root_key = origin.root_key;
    origin.entries.retain(|entry| entry.rek_id == root_key);
    if origin.entries.is_empty() {
        return Err(Error::NoEntry);
    }
    let mut header = Header {
        origin,
        commit: state.commit(),
        salt: [0; 32],
        nonce: [0; 8],
    };
    random.fill(&mut header.salt)?;
    random.fill(&mut header.nonce)?;
    let start = encode_start(&header)?;
    out.write_all(&start)?;
    let key = stream_key(backup_key, &header.salt)?;
    let context = sha256(&start);
    let mut stream = ChannelWriter::new(out, Cipher::Aes256, key, header.nonce, &context)?;
    write_records(state, &mut stream)?;
    Ok(stream.finish()?)
}

/// All bytes before the stream.
fn encode_start(header: &Header) -> Result<Vec<u8>, Error> {
    let json = header.encode()?;
    let length = u32::try_from(json.len()).ok();
    let length = length
        .filter(|length| *length <= MAX_HEADER)
        .ok_or(Error::Header("it is too long"))?;
    Ok([MAGIC.as_slice(), &length.to_be_bytes(), &json].concat())
}
