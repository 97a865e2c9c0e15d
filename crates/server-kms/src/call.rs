use std::net::IpAddr;

use http::HeaderMap;
use http::request::Parts;
use keystead_identity::KmsIdentity;
use keystead_observe::{ErrorEvent, Level};
use keystead_wire_kms::ApiError;
use tokio::time::Instant;

use crate::failure::Failure;
use crate::server::{Live, Shared};

/// One request on its way through the checks to its operation.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Shared,
    /// The settings in force when the request arrived.
    pub(crate) live: &'a Live,
    pub(crate) head: &'a Parts,
    /// Who proved to own the key of a certificate.
    pub(crate) identity: Option<KmsIdentity>,
    pub(crate) ip: IpAddr,
    pub(crate) began: Instant,
}

// === impl Call ===

impl<'a> Call<'a> {
    pub(crate) fn headers(&self) -> &'a HeaderMap {
        &self.head.headers
    }

    /// Whether the query has a parameter, with or without a value.
    pub(crate) fn asks(&self, parameter: &str) -> bool {
        self.parameters().any(|(name, _)| name == parameter)
    }

    /// The parameters of the query, as they are.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let query = self.head.uri.query().unwrap_or_default();
        query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }

    /// What only the root may do.
    pub(crate) fn require_root(&self) -> Result<(), ApiError> {
        match self.identity == Some(self.shared.store.root()) {
            true => Ok(()),
            false => Err(ApiError::NOT_ALLOWED),
        }
    }

    /// Writes a failure of the server, or what a client did wrong, to the error log.
    pub(crate) fn note(&self, failure: &Failure) {
        let Some(cause) = &failure.cause else { return };
        let (level, message) = if failure.error.status.is_server_error() {
            (Level::ERROR, "request failed")
        } else {
            (Level::DEBUG, "invalid request")
        };
        if self.shared.error_log.enabled(level) {
            let event = ErrorEvent::new(level, message)
                .attribute("res.code", failure.error.status.as_u16())
                .attribute("res.message", &failure.error.message)
                .error(cause.as_ref());
            self.shared.error_log.record(self.describe(event));
        }
    }

    /// Adds what is known of the request.
    pub(crate) fn describe(&self, event: ErrorEvent) -> ErrorEvent {
        let event = event
            .attribute("req.method", &self.head.method)
            .attribute("req.path", self.head.uri.path())
            .attribute("req.ip", self.ip);
        match self.identity {
            Some(identity) => event.attribute("req.identity", identity),
            None => event,
        }
    }
}
