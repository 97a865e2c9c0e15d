use std::future::Future;

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::Incoming;
use keystead_http::{BodyError, HttpError, read_body};
use keystead_observe::{ErrorEvent, RequestAttributes};
use keystead_wire_kes::{ApiError, Name, Subject};
use tokio::time::{Instant, timeout_at};

use crate::caller::Caller;
use crate::route::Route;
use crate::server::Shared;
use crate::state::State;

/// One request on its way through the checks to its operation.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Shared,
    /// The configuration in force when the request arrived.
    pub(crate) state: &'a State,
    pub(crate) route: &'a Route,
    pub(crate) caller: &'a Caller,
    pub(crate) attributes: RequestAttributes<'a>,
    pub(crate) headers: &'a HeaderMap,
    /// The part of the decoded path behind the route's prefix.
    pub(crate) resource: &'a str,
    pub(crate) deadline: Instant,
}

// === impl Call ===

impl<'a> Call<'a> {
    /// The resource as the name of a `subject`.
    pub(crate) fn name(&self, subject: Subject) -> Result<&'a str, ApiError> {
        if Name::is_valid(self.resource) {
            Ok(self.resource)
        } else {
            Err(ApiError::invalid_name(subject, self.resource))
        }
    }

    /// Reads the body; one that is too long or broken off is answered like one that
    /// is malformed.
    pub(crate) async fn read(&self, body: Incoming, invalid: ApiError) -> Result<Bytes, HttpError> {
        read_body(body, self.route.endpoint.max_body, self.deadline)
            .await
            .map_err(|error| match error {
                BodyError::TimedOut => HttpError::from(self.route.late()).because(error),
                _ => HttpError::from(invalid).because(error),
            })
    }

    /// Waits for the key store until the deadline and gives up on it then
    /// (decision D10).
    pub(crate) async fn wait<T>(
        &self,
        work: impl Future<Output = Result<T, keystead_keystore::Error>>,
    ) -> Result<T, keystead_keystore::Error> {
        timeout_at(self.deadline, work).await.unwrap_or_else(|_| {
            Err(keystead_keystore::Error::unreachable(
                "no answer within the time-out of the request",
            ))
        })
    }

    /// Writes an event of this request to the error log.
    pub(crate) fn note(&self, event: ErrorEvent) {
        self.shared
            .error_log
            .record(event.request(&self.attributes));
    }
}
