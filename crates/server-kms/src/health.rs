//! Whether the server works, and how (MinIO KMS protocol, sections 4.2 and 0.5).

use std::time::Duration;

use http::HeaderValue;
use keystead_observe::{CONTENT_TYPE_OPEN_METRICS, ClusterFigures};
use keystead_store::Role;
use keystead_wire_kms::ApiError;
use tokio::time::timeout;

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::failure::Failure;

/// How long the answer waits for a leader.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the process answers.
pub(crate) fn live() -> Answer {
    Ok(answer::empty())
}

/// Whether reads can be served and, if asked, changes made.
pub(crate) async fn ready(call: &Call<'_>) -> Answer {
    let store = &call.shared.store;
    let not_ready = "the server is not ready";
    store
        .check()
        .map_err(|stopped| Failure::unavailable(not_ready, stopped))?;
    if call.asks("write") {
        timeout(PATIENCE, store.ready())
            .await
            .map_err(|late| Failure::unavailable(not_ready, late))?
            .map_err(|error| Failure::unavailable(not_ready, error))?;
    }
    Ok(answer::empty())
}

/// All metrics, for the root and whom the configuration names.
pub(crate) fn metrics(call: &Call<'_>) -> Answer {
    let named = call
        .identity
        .is_some_and(|identity| call.live.metrics_identities.contains(&identity));
    if !call.live.metrics_public && !named {
        call.require_root()
            .map_err(|_| Failure::from(ApiError::NOT_ALLOWED))?;
    }
    let status = call.shared.store.status();
    let metrics = &call.shared.metrics;
    metrics.cluster(&ClusterFigures {
        nodes_up: 1,
        nodes_down: 0,
        leader: status.role == Role::Leader,
        commit: status.commit,
        lag: status.lag,
        lease_valid: status.stopped.is_none(),
    });
    let (sealed, configured) = (&status.sealed_hsms, &status.configured_hsms);
    for hsm in sealed.iter().chain(configured) {
        metrics.hsm_sealed(hsm, sealed.contains(hsm));
    }
    let content_type = HeaderValue::from_static(CONTENT_TYPE_OPEN_METRICS);
    Ok(answer::with_type(content_type, metrics.encode()))
}
