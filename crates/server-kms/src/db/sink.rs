use std::io::{self, Write};
use std::mem;

use bytes::Bytes;
use tokio::sync::mpsc::Sender;

/// Bytes that are sent in one piece.
const PIECE: usize = 64 << 10;

/// The body of an answer as an output that blocks while the client is slow.
pub(super) struct Sink {
    sender: Sender<Bytes>,
    buffer: Vec<u8>,
}

// === impl Sink ===

impl Sink {
    pub(super) fn new(sender: Sender<Bytes>) -> Self {
        Self {
            sender,
            buffer: Vec::with_capacity(PIECE),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = mem::replace(&mut self.buffer, Vec::with_capacity(PIECE));
        self.sender
            .blocking_send(piece.into())
            .map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the client is gone"))
    }
}
