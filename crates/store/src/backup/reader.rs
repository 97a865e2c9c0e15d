use std::io::{self, Read};

use keystead_crypto::{ChannelReader, Cipher, SecretKey, sha256};

use super::records::read_records;
use super::source::Source;
use super::{Error, Header, MAGIC, MAX_HEADER, stream_key};
use crate::State;

/// Reads a backup: the header at once, the state when the caller has opened its root
/// key with an HSM.
pub struct Reader<R> {
    header: Header,
    /// Binds the stream to everything before it.
    context: [u8; 32],
    rest: Source<R>,
}

// === impl Reader ===

impl<R: Read> Reader<R> {
    /// Reads the header of a backup, plain or inside gzip.
    ///
    /// # Errors
    ///
    /// [`Error::NotBackup`], [`Error::Header`], [`Error::Version`], [`Error::Damaged`] if
    /// the file ends inside the header, [`Error::Io`].
    pub fn new(file: R) -> Result<Self, Error> {
        let mut rest = Source::new(file)?;
        let mut start = take(&mut rest, MAGIC.len())?;
        if start != MAGIC {
            return Err(Error::NotBackup);
        }
        let mut length = [0; 4];
        rest.read_exact(&mut length)?;
        start.extend_from_slice(&length);
        let length = u32::from_be_bytes(length);
        if length > MAX_HEADER {
            return Err(Error::Header("it is too long"));
        }
        let length = usize::try_from(length).map_err(|_| Error::Header("it is too long"))?;
        let json = take(&mut rest, length)?;
        if json.len() < length {
            return Err(Error::Damaged);
        }
        start.extend_from_slice(&json);
        Ok(Self {
            header: Header::decode(&json)?,
            context: sha256(&start),
            rest,
        })
    }

    /// What the backup says about itself. Not authentic before [`read`](Self::read)
    /// succeeded.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Reads the state. The whole file was read and was authentic when this returns.
    ///
    /// `backup_key` is the sub-key for backups of the root key that the header's entries
    /// hold.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`], [`Error::Content`], [`Error::Crypto`], [`Error::Io`].
    pub fn read(self, backup_key: &SecretKey) -> Result<State, Error> {
        let key = stream_key(backup_key, &self.header.salt)?;
        let nonce = self.header.nonce;
        let stream = ChannelReader::new(self.rest, Cipher::Aes256, key, nonce, &self.context)?;
        read_records(stream)
    }
}

/// Up to `length` bytes.
fn take(from: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(length).unwrap_or(u64::MAX);
    from.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
