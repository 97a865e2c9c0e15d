use std::convert::Infallible;
use std::future::pending;
use std::io::{self, Read};

use bytes::{Buf, Bytes};
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// The body of a request as an input that blocks while the client is slow.
pub(super) struct Source {
    receiver: Receiver<io::Result<Bytes>>,
    piece: Bytes,
}

/// Feeds a source until the body or the source ends, and then waits for whoever reads it.
pub(super) async fn pump(body: Incoming, sender: Sender<io::Result<Bytes>>) -> Infallible {
    feed(body, sender).await;
    pending().await
}

async fn feed(mut body: Incoming, sender: Sender<io::Result<Bytes>>) {
    while let Some(frame) = body.frame().await {
        let piece = match frame.map(Frame::into_data) {
            Ok(Ok(piece)) => Ok(piece),
            // Trailers say nothing.
            Ok(Err(_)) => continue,
            Err(error) => Err(io::Error::other(error)),
        };
        let broken = piece.is_err();
        if sender.send(piece).await.is_err() || broken {
            return;
        }
    }
}

// === impl Source ===

impl Source {
    pub(super) fn new(pieces: usize) -> (Sender<io::Result<Bytes>>, Self) {
        let (sender, receiver) = channel(pieces);
        let piece = Bytes::new();
        (sender, Self { receiver, piece })
    }
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let length = out.len().min(self.piece.len());
        self.piece
            .split_to(length)
            .copy_to_slice(out.get_mut(..length).unwrap_or_default());
        Ok(length)
    }
}
