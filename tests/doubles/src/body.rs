use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Frame;
use tokio::time::{Sleep, sleep};

/// The body of an answer, which may take its time or not come to its end.
pub(crate) struct Body {
    rest: Bytes,
    piece: usize,
    /// Fails when so many bytes are left.
    fails_at: Option<usize>,
    pause: Duration,
    pausing: Option<Pin<Box<Sleep>>>,
}

// === impl Body ===

impl Body {
    pub(crate) fn whole(body: Bytes) -> Self {
        Self {
            piece: body.len(),
            rest: body,
            fails_at: None,
            pause: Duration::ZERO,
            pausing: None,
        }
    }

    /// Half of a body.
    pub(crate) fn cut(body: Bytes) -> Self {
        let half = body.len() / 2;
        Self {
            piece: half.max(1),
            fails_at: Some(body.len() - half),
            ..Self::whole(body)
        }
    }

    /// A body of single bytes with a pause after each.
    pub(crate) fn slow(body: Bytes, pause: Duration) -> Self {
        Self {
            piece: 1,
            pause,
            ..Self::whole(body)
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(pausing) = &mut self.pausing {
            ready!(pausing.as_mut().poll(context));
            self.pausing = None;
        }
        if self.fails_at == Some(self.rest.len()) {
            return Poll::Ready(Some(Err(io::ErrorKind::BrokenPipe.into())));
        }
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        if !self.pause.is_zero() {
            self.pausing = Some(Box::pin(sleep(self.pause)));
        }
        let piece = self.piece.min(self.rest.len());
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }
}
