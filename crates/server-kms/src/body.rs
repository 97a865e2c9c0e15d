use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use hyper::body::Incoming;
use keystead_http::{BodyError, read_body};
use keystead_wire_kms::ApiError;

use crate::call::Call;
use crate::failure::{Failure, bad_request};

/// The longest body of commands, in bytes (decision D19).
pub(crate) const MAX_COMMANDS: usize = 16 << 20;

/// Time for a body to arrive.
const TIME: Duration = Duration::from_secs(60);

/// Reads a whole body.
///
/// A body that is shorter than it was announced is refused: the official client turns to
/// its next server with the head of the request and without its body, and would take an
/// empty answer for success (MinIO KMS protocol, section 9.2).
pub(crate) async fn read(call: &Call<'_>, body: Incoming, limit: usize) -> Result<Bytes, Failure> {
    let body = read_body(body, limit, call.began + TIME)
        .await
        .map_err(|error| {
            let answer = match error {
                BodyError::TooLarge { .. } => ApiError::TOO_LARGE,
                BodyError::TimedOut => ApiError::new(
                    StatusCode::REQUEST_TIMEOUT,
                    "request body did not arrive in time",
                ),
                _ => ApiError::new(StatusCode::BAD_REQUEST, "request body is incomplete"),
            };
            Failure::from(answer).because(error)
        })?;
    match announced(call) {
        Some(length) if length != body.len() => Err(bad_request("request body is incomplete")),
        _ => Ok(body),
    }
}

/// The length that the head of the request announces.
fn announced(call: &Call<'_>) -> Option<usize> {
    let value = call.headers().get(CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}
