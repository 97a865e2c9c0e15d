use std::io::{self, Read};

use zeroize::Zeroizing;

use super::channel::{Channel, FRAME};
use crate::{Cipher, Error, SecretKey};

/// Opens a stream of [`ChannelWriter`](crate::ChannelWriter).
///
/// What it gives is authentic, but the stream may still turn out to be cut: nothing of
/// it may be used before it was read to its end.
pub struct ChannelReader<R> {
    channel: Channel,
    /// Sealed bytes read ahead: one frame, and the byte that tells whether another one
    /// follows.
    ahead: Vec<u8>,
    piece: Zeroizing<Vec<u8>>,
    /// Bytes of `piece` that were given away.
    given: usize,
    state: State,
    inner: R,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    Ended,
    /// Whatever went wrong, nothing more comes out.
    Failed,
}

impl<R: Read> ChannelReader<R> {
    /// Reads the stream that was written with the same parameters.
    ///
    /// # Errors
    /// [`Error::PlaintextTooLong`] if `context` is longer than the cipher allows.
    pub fn new(
        inner: R,
        cipher: Cipher,
        key: SecretKey,
        nonce: [u8; 8],
        context: &[u8],
    ) -> Result<Self, Error> {
        Ok(Self {
            channel: Channel::new(cipher, key, nonce, context)?,
            ahead: Vec::with_capacity(FRAME.saturating_add(1)),
            piece: Zeroizing::default(),
            given: 0,
            state: State::Reading,
            inner,
        })
    }

    /// Opens the next frame.
    fn advance(&mut self) -> io::Result<()> {
        let wanted = FRAME.saturating_add(1).saturating_sub(self.ahead.len());
        let limit = u64::try_from(wanted).map_err(io::Error::other)?;
        self.inner
            .by_ref()
            .take(limit)
            .read_to_end(&mut self.ahead)?;
        let last = self.ahead.len() <= FRAME;
        let frame = self.ahead.get(..FRAME).unwrap_or(&self.ahead);
        self.piece = self.channel.open(frame, last)?;
        self.given = 0;
        let opened = frame.len();
        self.ahead.drain(..opened);
        if last {
            self.state = State::Ended;
        }
        Ok(())
    }
}

/// A damaged or cut stream is an error of the kind [`io::ErrorKind::InvalidData`].
impl<R: Read> Read for ChannelReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        while self.given == self.piece.len() && self.state == State::Reading {
            self.advance().inspect_err(|_| self.state = State::Failed)?;
        }
        if self.state == State::Failed {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                Error::NotAuthentic,
            ));
        }
        let rest = self.piece.get(self.given..).unwrap_or_default();
        let given = rest.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..given), rest.get(..given)) {
            to.copy_from_slice(from);
        }
        self.given = self.given.saturating_add(given);
        Ok(given)
    }
}
