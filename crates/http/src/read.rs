//! Request bodies.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout, timeout_at};

use crate::BoxError;

/// How many times the limit is taken in and thrown away of a body that is too long.
const SURPLUS: usize = 8;

/// How long that may take.
const LINGER: Duration = Duration::from_secs(1);

/// Why a request body was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// It is longer than the limit.
    #[error("request body is longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// It did not arrive in time.
    #[error("request body did not arrive in time")]
    TimedOut,
    /// The client broke off.
    #[error("reading request body: {0}")]
    Broken(BoxError),
}

/// Reads a whole request body of at most `limit` bytes, with or without a declared length,
/// until `deadline`.
///
/// # Errors
///
/// [`BodyError`] says what was wrong; over HTTP/1.1 the connection may be of no further use.
pub async fn read_body<B>(body: B, limit: usize, deadline: Instant) -> Result<Bytes, BodyError>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let mut reading = pin!(read(body, limit));
    // Nearly all bodies have arrived with their head, and a timer is more work than reading
    // them.
    if let Poll::Ready(outcome) = poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx))).await {
        return outcome;
    }
    timeout_at(deadline, reading)
        .await
        .unwrap_or(Err(BodyError::TimedOut))
}

async fn read<B>(body: B, limit: usize) -> Result<Bytes, BodyError>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut body = pin!(body);
    if declared > limit {
        return Err(too_large(body, limit).await);
    }
    let mut length = 0_usize;
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| BodyError::Broken(error.into()))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        length = length.saturating_add(data.len());
        if length > limit {
            return Err(too_large(body, limit).await);
        }
        // Nearly all bodies are one frame, which is handed on as it is. Further ones are
        // copied: kept apart, bodies of one-byte frames would take thirty times their size.
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// Takes in what the client is still sending, within bounds: a client whose connection is
/// closed while it sends does not see the answer.
async fn too_large<B>(mut body: Pin<&mut B>, limit: usize) -> BodyError
where
    B: hyper::body::Body<Data = Bytes>,
{
    let surplus = async {
        let mut left = limit.saturating_mul(SURPLUS);
        while left > 0
            && let Some(Ok(frame)) = body.frame().await
        {
            left = left.saturating_sub(frame.data_ref().map_or(1, |data| data.len().max(1)));
        }
    };
    // A client that takes longer has to do without the answer.
    timeout(LINGER, surplus).await.ok();
    BodyError::TooLarge { limit }
}
