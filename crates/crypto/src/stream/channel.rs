use std::io;

use zeroize::Zeroizing;

use crate::cipher::{NONCE_LEN, TAG_LEN};
use crate::{Cipher, Error, SecretKey};

/// Plaintext bytes of every frame but the last.
pub(super) const BUFFER: usize = 16_384;

/// Bytes of a sealed frame that is full.
pub(super) const FRAME: usize = BUFFER + TAG_LEN;

/// What the associated data of the last frame starts with.
const LAST: u8 = 0x80;

/// What both ends of a stream know, and which frame is next.
pub(super) struct Channel {
    cipher: Cipher,
    key: SecretKey,
    nonce: [u8; 8],
    /// The tag of nothing at number 0 over the associated data of the stream.
    tag: [u8; TAG_LEN],
    next: Option<u32>,
}

impl Channel {
    pub(super) fn new(
        cipher: Cipher,
        key: SecretKey,
        nonce: [u8; 8],
        context: &[u8],
    ) -> Result<Self, Error> {
        let mut channel = Self {
            cipher,
            key,
            nonce,
            tag: [0; TAG_LEN],
            next: Some(1),
        };
        let mut tag = [0; TAG_LEN];
        let nonce = channel.nonce_of(0);
        cipher.seal(channel.key.expose(), nonce, context, &[], &mut [], &mut tag)?;
        channel.tag = tag;
        Ok(channel)
    }

    /// Appends the next frame to `out`.
    pub(super) fn seal(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) -> io::Result<()> {
        let nonce = self.next_nonce()?;
        let context = self.context(last);
        let mut tag = [0; TAG_LEN];
        let mut sealed = vec![0; piece.len()];
        let key = self.key.expose();
        self.cipher
            .seal(key, nonce, &context, piece, &mut sealed, &mut tag)
            .map_err(io::Error::other)?;
        out.extend_from_slice(&sealed);
        out.extend_from_slice(&tag);
        Ok(())
    }

    /// The plaintext of the next frame.
    pub(super) fn open(&mut self, frame: &[u8], last: bool) -> io::Result<Zeroizing<Vec<u8>>> {
        let damaged = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        let nonce = self.next_nonce()?;
        let context = self.context(last);
        let (sealed, tag) = frame
            .split_last_chunk::<TAG_LEN>()
            .ok_or_else(|| damaged(Error::NotAuthentic))?;
        let mut piece = Zeroizing::new(vec![0; sealed.len()]);
        let key = self.key.expose();
        self.cipher
            .open(key, nonce, &context, sealed, tag, &mut piece)
            .map_err(damaged)?;
        Ok(piece)
    }

    fn context(&self, last: bool) -> [u8; 1 + TAG_LEN] {
        let mut context = [0; 1 + TAG_LEN];
        let (flag, tag) = context.split_at_mut(1);
        flag.fill(if last { LAST } else { 0 });
        tag.copy_from_slice(&self.tag);
        context
    }

    fn next_nonce(&mut self) -> io::Result<[u8; NONCE_LEN]> {
        let number = self
            .next
            .ok_or_else(|| io::Error::other(Error::PlaintextTooLong))?;
        self.next = number.checked_add(1);
        Ok(self.nonce_of(number))
    }

    fn nonce_of(&self, number: u32) -> [u8; NONCE_LEN] {
        let mut nonce = [0; NONCE_LEN];
        let (stream, counter) = nonce.split_at_mut(self.nonce.len());
        stream.copy_from_slice(&self.nonce);
        counter.copy_from_slice(&number.to_le_bytes());
        nonce
    }
}
