use std::io::{self, Write};

use zeroize::Zeroizing;

use super::channel::{BUFFER, Channel, FRAME};
use crate::{Cipher, Error, SecretKey};

/// Seals what is written to it, in frames of 16,384 bytes.
///
/// Nothing marks the end but [`finish`](Self::finish): a stream without it does not
/// open.
pub struct ChannelWriter<W> {
    channel: Channel,
    /// Plaintext that is not written, at most one frame.
    pending: Zeroizing<Vec<u8>>,
    sealed: Vec<u8>,
    inner: W,
}

impl<W: Write> ChannelWriter<W> {
    /// Starts a stream. A key and a nonce belong to one stream only.
    ///
    /// # Errors
    /// [`Error::PlaintextTooLong`] if `context` is longer than the cipher allows.
    pub fn new(
        inner: W,
        cipher: Cipher,
        key: SecretKey,
        nonce: [u8; 8],
        context: &[u8],
    ) -> Result<Self, Error> {
        Ok(Self {
            channel: Channel::new(cipher, key, nonce, context)?,
            pending: Zeroizing::new(Vec::with_capacity(BUFFER)),
            sealed: Vec::with_capacity(FRAME),
            inner,
        })
    }

    /// Writes the last frame and flushes.
    ///
    /// # Errors
    /// Those of the writer below.
    pub fn finish(mut self) -> io::Result<W> {
        self.write_pending(true)?;
        self.inner.flush()?;
        Ok(self.inner)
    }

    fn write_pending(&mut self, last: bool) -> io::Result<()> {
        self.sealed.clear();
        self.channel.seal(&self.pending, last, &mut self.sealed)?;
        self.pending.clear();
        self.inner.write_all(&self.sealed)
    }
}

impl<W: Write> Write for ChannelWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full frame waits for another byte, since the last one is sealed otherwise.
        if self.pending.len() == BUFFER && !bytes.is_empty() {
            self.write_pending(false)?;
        }
        let room = BUFFER.saturating_sub(self.pending.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.pending.extend_from_slice(taken);
        Ok(taken.len())
    }

    /// Flushes what is sealed; the frame that is not full stays.
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
