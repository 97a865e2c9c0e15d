//! What goes on on a connection, and how long it may take.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::{Body, Limits};

/// The state of a connection that its time-outs depend on.
///
/// hyper's own header time-out runs while a connection is idle as well, which would close
/// kept connections after 5 s instead of 90 s.
#[derive(Debug)]
pub(crate) struct Activity {
    start: Instant,
    running: AtomicUsize,
    /// End of the last request.
    idle_since: Moment,
    /// First byte of a request head that is not complete.
    head_since: Moment,
    /// Moment since which the peer takes no data.
    stalled_since: Moment,
    heads: bool,
}

/// Milliseconds since the start of a connection, or nothing.
#[derive(Debug)]
struct Moment(AtomicU64);

/// A request from its head to the end of its response.
#[derive(Debug)]
pub(crate) struct Running(Arc<Activity>);

/// The body of a response, which ends a [`Running`] request with its own end.
#[derive(Debug)]
pub(crate) struct RunningBody {
    body: Body,
    _running: Running,
}

/// A stream that notes when it is read and when it cannot be written.
#[derive(Debug)]
pub(crate) struct Observed<S> {
    stream: S,
    activity: Arc<Activity>,
}

/// What is due when a deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The peer is slow: cut.
    Cut,
    /// The peer has nothing to say: part in good order.
    Part,
}

// === impl Activity ===

impl Activity {
    /// A connection that starts now. With `heads`, incoming bytes between requests are the head
    /// of the next one, as in HTTP/1.1, and the first head is due at once.
    pub(crate) fn new(heads: bool) -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            running: AtomicUsize::new(0),
            idle_since: Moment::at(0),
            head_since: if heads {
                Moment::at(0)
            } else {
                Moment::never()
            },
            stalled_since: Moment::never(),
            heads,
        })
    }

    /// Notes that the head of a request has arrived.
    pub(crate) fn begin(self: &Arc<Self>) -> Running {
        self.running.fetch_add(1, Ordering::Relaxed);
        self.head_since.clear();
        Running(Arc::clone(self))
    }

    /// The next moment at which something is due, and what.
    pub(crate) fn deadline(&self, limits: &Limits) -> Option<(Instant, Due)> {
        let after = |since: u64, limit: Duration| {
            let since = Duration::from_millis(since);
            self.start.checked_add(since.saturating_add(limit))
        };
        if let Some(since) = self.stalled_since.get() {
            return Some((after(since, limits.stall)?, Due::Cut));
        }
        if self.running.load(Ordering::Relaxed) > 0 {
            return None;
        }
        match self.head_since.get() {
            Some(since) => Some((after(since, limits.header)?, Due::Cut)),
            None => Some((after(self.idle_since.get()?, limits.idle)?, Due::Part)),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }

    fn note_read(&self) {
        if self.heads && self.running.load(Ordering::Relaxed) == 0 {
            self.head_since.set_if_unset(|| self.now());
        }
    }

    fn note_write<T>(&self, outcome: &Poll<T>) {
        if outcome.is_pending() {
            self.stalled_since.set_if_unset(|| self.now());
        } else {
            self.stalled_since.clear();
        }
    }
}

// === impl Moment ===

impl Moment {
    const NEVER: u64 = u64::MAX;

    fn at(moment: u64) -> Self {
        Self(AtomicU64::new(moment))
    }

    fn never() -> Self {
        Self::at(Self::NEVER)
    }

    fn get(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|moment| *moment != Self::NEVER)
    }

    fn set(&self, moment: u64) {
        self.0.store(moment, Ordering::Relaxed);
    }

    fn set_if_unset(&self, moment: impl FnOnce() -> u64) {
        if self.get().is_none() {
            self.set(moment());
        }
    }

    fn clear(&self) {
        self.set(Self::NEVER);
    }
}

// === impl Running ===

impl Running {
    pub(crate) fn until_end_of(self, body: Body) -> RunningBody {
        RunningBody {
            body,
            _running: self,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.idle_since.set(self.0.now());
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

// === impl RunningBody ===

impl HttpBody for RunningBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

// === impl Observed ===

impl<S> Observed<S> {
    pub(crate) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Observed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.activity.note_read();
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Observed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, data);
        self.activity.note_write(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, data);
        self.activity.note_write(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.activity.note_write(&outcome);
        outcome
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.activity.note_write(&outcome);
        outcome
    }
}
