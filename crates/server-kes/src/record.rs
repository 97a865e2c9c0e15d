use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use keystead_observe::{ActiveRequest, AuditEvent, RequestAttributes};
use tokio::time::Instant;

use crate::server::Shared;

/// The status of a request whose client went away before the answer.
const CLIENT_GONE: u16 = 499;

/// One request under observation: when dropped it is counted and audited, also if
/// the client broke it off, because it may have changed a key by then.
pub(crate) struct Record<'a> {
    shared: &'a Shared,
    request: RequestAttributes<'a>,
    began: Instant,
    status: u16,
    audited: bool,
    counted: Option<ActiveRequest>,
}

// === impl Record ===

impl<'a> Record<'a> {
    /// A request that is audited and not counted.
    pub(crate) fn new(shared: &'a Shared, request: RequestAttributes<'a>, began: Instant) -> Self {
        Self {
            shared,
            request,
            began,
            status: CLIENT_GONE,
            audited: true,
            counted: None,
        }
    }

    /// Leaves the request out of the audit log.
    pub(crate) fn skip_audit(&mut self) {
        self.audited = false;
    }

    /// Has metrics count the request.
    pub(crate) fn count(&mut self) {
        self.counted = Some(self.shared.metrics.request_started());
    }

    /// Notes the status of the answer.
    pub(crate) fn answered(mut self, status: StatusCode) {
        self.status = status.as_u16();
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        let duration = self.began.elapsed();
        if self.counted.is_some() {
            self.shared.metrics.request(self.status, duration);
        }
        if self.audited && self.shared.audit_log.enabled() {
            self.shared.audit_log.record(AuditEvent {
                time: arrival(duration),
                method: self.request.method.clone(),
                ip: self.request.ip,
                path: self.request.path.to_owned(),
                identity: self.request.identity.cloned(),
                code: self.status,
                duration,
            });
        }
    }
}

/// When a request arrived that has taken `duration` so far.
fn arrival(duration: Duration) -> Timestamp {
    let now = Timestamp::now();
    now.saturating_sub(duration).unwrap_or(now)
}
