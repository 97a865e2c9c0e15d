//! Restart and profiles (MinIO KMS protocol, sections 4.6 and 8.3).

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use keystead_observe::{ErrorEvent, Level};
use keystead_wire_kms::ApiError;
use keystead_wire_kms::message::ProfileStatusResponse;
use tokio::time::sleep;

use crate::answer::{self, Answer};
use crate::call::Call;

/// Time for the answer to reach the client before the server goes down.
const FAREWELL: Duration = Duration::from_millis(100);

/// Starts the program anew, after the answer. The only node of a cluster is also all of
/// its nodes.
pub(crate) fn restart(call: &Call<'_>) -> Answer {
    call.require_root()?;
    let Some(restart) = &call.shared.restart else {
        return Err(not_implemented("this server cannot restart itself").into());
    };
    let event = ErrorEvent::new(Level::WARN, "restart requested");
    call.shared.error_log.record(call.describe(event));
    let restart = Arc::clone(restart);
    tokio::spawn(async move {
        sleep(FAREWELL).await;
        restart();
    });
    Ok(answer::empty())
}

/// Starts, shows or ends profiling.
pub(crate) fn profile(call: &Call<'_>) -> Answer {
    call.require_root()?;
    match call.head.method {
        // Nothing is being profiled.
        Method::GET => answer::document(&ProfileStatusResponse::default(), call.headers()),
        _ => Err(not_implemented(
            "this server has no profiler: use perf, which needs nothing from the server",
        )
        .into()),
    }
}

fn not_implemented(message: &'static str) -> ApiError {
    ApiError::new(StatusCode::NOT_IMPLEMENTED, message)
}
