use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body_util::BodyExt;
use keystead_wire_kms::ApiError;
use reqwest::Body;
use zeroize::Zeroizing;

use crate::Error;

/// The largest answer to commands, in bytes: 10,000 data keys of the greatest length take
/// a third of it.
const MAX_ANSWER: usize = 1 << 26;

/// What is read of an error, in bytes.
const MAX_ERROR: usize = 5000;

/// A successful response with the server that sent it.
pub(crate) struct Answer {
    pub(crate) host: String,
    pub(crate) response: Response<Body>,
}

/// A document that is taken as it arrives.
pub struct Download(Answer);

// === impl Answer ===

impl Answer {
    /// Turns everything but status 200 into an error.
    pub(crate) async fn of(host: &str, response: Response<Body>) -> Result<Self, Error> {
        let status = response.status();
        let mut answer = Self {
            host: host.to_owned(),
            response,
        };
        if status == StatusCode::OK {
            return Ok(answer);
        }
        let content_type = answer.content_type().map(str::to_owned);
        let mut body = Vec::new();
        while body.len() < MAX_ERROR
            && let Some(piece) = answer.next().await?
        {
            body.extend_from_slice(&piece);
        }
        let mut error = ApiError::decode(status, content_type.as_deref(), &body);
        if error.message.is_empty() {
            error.message = format!("unexpected response status {status}").into();
        }
        Err(Error::Api {
            host: answer.host,
            error,
        })
    }

    /// The value of the `Content-Type` header.
    pub(crate) fn content_type(&self) -> Option<&str> {
        self.response
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
    }

    /// Reads the body to its end. May hold plaintext.
    pub(crate) async fn body(mut self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let length = self.response.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let too_large = || Error::connection(&self.host, "the answer is too large");
        let length = length.unwrap_or(0);
        if length > MAX_ANSWER {
            return Err(too_large());
        }
        // At its full length at once, so that growing leaves no copies behind.
        let mut body = Zeroizing::new(Vec::with_capacity(length));
        while let Some(piece) = self.next().await? {
            if body.len() + piece.len() > MAX_ANSWER {
                return Err(Error::connection(&self.host, "the answer is too large"));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// The next piece of the body.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            match self.response.body_mut().frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
                Some(Err(error)) => return Err(Error::connection(&self.host, error)),
                None => return Ok(None),
            }
        }
    }
}

// === impl Download ===

impl Download {
    pub(crate) fn of(answer: Answer) -> Self {
        Self(answer)
    }

    /// The server that sends it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// The next piece, none at the end.
    ///
    /// # Errors
    ///
    /// [`Error::Connection`] if the connection broke before the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        self.0.next().await
    }
}
