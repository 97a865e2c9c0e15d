//! Request bodies.

use std::pin::pin;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::{Instant, timeout_at};

use crate::BoxError;

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
/// [`BodyError`] says what was wrong; the connection cannot be used further over HTTP/1.1.
pub async fn read_body<B>(body: B, limit: usize, deadline: Instant) -> Result<Bytes, BodyError>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    timeout_at(deadline, read(body, limit))
        .await
        .unwrap_or(Err(BodyError::TimedOut))
}

async fn read<B>(body: B, limit: usize) -> Result<Bytes, BodyError>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if declared > limit {
        return Err(BodyError::TooLarge { limit });
    }
    let mut body = pin!(Limited::new(body, limit));
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match error.is::<LengthLimitError>() {
            true => BodyError::TooLarge { limit },
            false => BodyError::Broken(error),
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
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
