use std::fmt::Display;

use keystead_http::HttpError;
use keystead_observe::{ErrorEvent, Level};
use keystead_policy::{Decision, spellings};
use keystead_wire_kes::{ApiError, Auth};

use crate::call::Call;

/// Decides whether a request may proceed.
///
/// The client learns only that it may not; the reason goes to the error log
/// (decision D27).
pub(crate) fn authorise(call: &Call<'_>) -> Result<(), HttpError> {
    // `Auth::Certificate` asks nothing here: the operation behind it tells a caller
    // without an identity that its identity does not exist.
    if call.route.auth != Auth::Policy {
        return Ok(());
    }
    let identity = call
        .caller
        .require_identity()
        .inspect_err(|error| call.note(refused(error)))?;
    // A path that stops before the resource is judged like one with an empty
    // resource (decisions D4 to D6).
    let path = if call.resource.is_empty() {
        call.route.endpoint.path
    } else {
        call.attributes.path
    };
    let decision = call
        .state
        .policies
        .decide(Some(identity), spellings(path).as_slice());
    if let Decision::Denied(reason) = decision {
        let event = refused(reason);
        call.note(match reason.policy() {
            Some(policy) => event.attribute("policy", policy),
            None => event,
        });
        return Err(ApiError::NOT_ALLOWED.into());
    }
    Ok(())
}

/// The log event of a refused request.
pub(crate) fn refused(reason: impl Display) -> ErrorEvent {
    ErrorEvent::new(Level::INFO, "request refused").attribute("reason", reason)
}
