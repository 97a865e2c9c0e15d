//! Response bodies.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::mpsc;

/// The body of a response.
#[derive(Debug)]
#[non_exhaustive]
pub enum Body {
    /// Known as a whole; empty ones have `None`.
    Full(Option<Bytes>),
    /// Produced while it is sent; every piece goes out at once.
    Stream(mpsc::Receiver<Bytes>),
}

impl Body {
    /// A body without content.
    pub fn empty() -> Self {
        Self::Full(None)
    }

    /// A body that is known as a whole.
    pub fn full(content: impl Into<Bytes>) -> Self {
        let content = content.into();
        Self::Full(if content.is_empty() {
            None
        } else {
            Some(content)
        })
    }

    /// A body fed through a channel that holds up to `capacity` pieces, at least one.
    ///
    /// Dropping the sender ends the body; the receiver is gone, and
    /// [`mpsc::Sender::closed`] resolves, when the client is.
    pub fn stream(capacity: usize) -> (mpsc::Sender<Bytes>, Self) {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        (sender, Self::Stream(receiver))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let data = match &mut *self {
            Self::Full(content) => Poll::Ready(content.take()),
            Self::Stream(receiver) => receiver.poll_recv(cx),
        };
        data.map(|data| data.map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Full(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(None) => SizeHint::with_exact(0),
            Self::Full(Some(content)) => {
                SizeHint::with_exact(u64::try_from(content.len()).unwrap_or(u64::MAX))
            }
            Self::Stream(_) => SizeHint::default(),
        }
    }
}
