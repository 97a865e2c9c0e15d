use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};

use crate::{Answer, Error, Transport};

/// A request of an API that needs no headers of its own.
#[derive(Clone)]
pub struct Call<'c> {
    /// The method.
    pub method: Method,
    /// Path and query; begins with a slash unless empty.
    pub path: &'c str,
    /// Who asks.
    pub authorization: Option<&'c HeaderValue>,
    /// JSON.
    pub body: Option<&'c [u8]>,
    /// The most bytes of the answer.
    pub max_answer: usize,
}

impl Transport {
    /// Makes a call as [`Transport::send`] does.
    ///
    /// # Errors
    ///
    /// Those of [`Transport::send`].
    pub async fn call(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let request = |client: &crate::Client, endpoint: &crate::Endpoint| {
            let mut request = client.request(call.method.clone(), endpoint.url(call.path));
            if let Some(authorization) = call.authorization {
                request = request.header(AUTHORIZATION, authorization);
            }
            if let Some(body) = call.body {
                request = request
                    .header(CONTENT_TYPE, "application/json")
                    .body(body.to_vec());
            }
            request
        };
        self.send(request, call.max_answer).await
    }
}
