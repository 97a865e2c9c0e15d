//! How a command says that it failed.

use std::io;

use keystead_client_kms::Error;
use serde::Serialize;

use crate::kes::Interrupted;
use crate::output;

#[derive(Serialize)]
struct Document<'a> {
    error: Detail<'a>,
}

#[derive(Serialize)]
struct Detail<'a> {
    /// Of the answer; 0 if there was none.
    status: u16,
    message: &'a str,
    host: &'a str,
}

/// Writes why a command failed to standard error: one line for people, or one JSON object
/// (decision 0.6).
pub(super) fn report(error: &anyhow::Error, json: bool) {
    if is_silent(error) {
        return;
    }
    let message = format!("{error:#}");
    if !json {
        output::print_error(&message);
        return;
    }
    let client = error.downcast_ref::<Error>();
    let status = client
        .and_then(Error::api)
        .map_or(0, |api| api.status.as_u16());
    let host = client.and_then(Error::host).unwrap_or_default();
    let error = Detail {
        status,
        message: &message,
        host,
    };
    // Numbers and texts always have a JSON form.
    output::note(&output::json_line(&Document { error }).unwrap_or_default());
}

/// Whether an error needs no words: somebody interrupted the command, or closed the pipe
/// that it was writing to.
fn is_silent(error: &anyhow::Error) -> bool {
    error.is::<Interrupted>()
        || error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
