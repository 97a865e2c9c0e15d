//! Backup and restore (MinIO KMS protocol, sections 0.4 and 8.1).

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use hyper::body::Incoming;
use keystead_hsm::{Use, open_any};
use keystead_http::{Body, BoxError};
use keystead_observe::{ErrorEvent, Level};
use keystead_store::backup::{self, Origin};
use keystead_store::{Operation, State};
use keystead_wire_kms::ApiError;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::failure::Failure;

mod sink;
mod source;

use sink::Sink;
use source::{Source, pump};

/// Pieces of a backup on their way between the network and the thread that seals or opens.
const PIECES: usize = 4;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain");

/// Time for a restored state to become durable.
const LIMIT: Duration = Duration::from_secs(120);

/// Sends the state of this moment, sealed.
pub(crate) fn backup(call: &Call<'_>) -> Answer {
    let store = &call.shared.store;
    let root_key = store.root_key();
    let origin = Origin {
        cluster: root_key.cluster(),
        created: (call.shared.clock)(),
        root_key: root_key.id(),
        entries: store.sealed_entries(),
    };
    if origin.entries.iter().all(|it| it.rek_id != origin.root_key) {
        return Err(refused(&backup::Error::NoEntry, StatusCode::CONFLICT));
    }
    let state = store.state();
    let random = Arc::clone(&call.shared.random);
    let log = Arc::clone(&call.shared.error_log);
    let (sender, body) = Body::stream(PIECES);
    spawn_blocking(move || {
        let key = root_key.sub_key(Use::Backup);
        let written = backup::write(&state, &origin, key, &*random, Sink::new(sender));
        // The client sees a file that ends too early, and no server restores such a file.
        if let Err(error) = written {
            log.record(ErrorEvent::new(Level::WARN, "backup broken off").error(&error));
        }
    });
    Ok(answer::stream(body))
}

/// Replaces the whole state by the content of a backup, as one change, after the backup
/// was read to its end.
pub(crate) async fn restore(call: &Call<'_>, body: Incoming) -> Answer {
    let store = &call.shared.store;
    let fresh = store.state().is_empty() && store.status().nodes.len() == 1;
    if !fresh && !call.asks("force") {
        let message = "the server is not empty: a restore replaces everything it holds; \
                       add ?force to do that";
        return Err(ApiError::new(StatusCode::CONFLICT, message).into());
    }
    let (sender, source) = Source::new(PIECES);
    // The body alone decides nothing: a broken one ends the reading of the backup.
    let state = tokio::select! {
        state = open(call, source) => state?,
        never = pump(body, sender) => match never {},
    };
    let operation = Operation::Restore(Box::new(state));
    timeout(LIMIT, store.propose(operation))
        .await
        .map_err(|late| {
            let message = "the restore was not confirmed in time: it may have happened";
            Failure::from(ApiError::new(StatusCode::GATEWAY_TIMEOUT, message)).because(late)
        })??;
    let event = ErrorEvent::new(Level::WARN, "state replaced by a backup");
    call.shared.error_log.record(call.describe(event));
    Ok(answer::empty())
}

/// Puts a new root key in the place of the current one; answers with its id in hex.
pub(crate) async fn rotate(call: &Call<'_>) -> Answer {
    let id = call.shared.store.rotate_root().await?;
    let event = ErrorEvent::new(Level::WARN, "root key replaced").attribute("rek_id", id);
    call.shared.error_log.record(call.describe(event));
    Ok(answer::with_type(TEXT, id.to_string()))
}

/// Reads a backup that one of the HSMs of this node can open.
async fn open(call: &Call<'_>, source: Source) -> Result<State, Failure> {
    let reader = spawn_blocking(move || backup::Reader::new(source))
        .await
        .map_err(lost)?
        .map_err(|error| unusable(&error))?;
    let opened = open_any(&reader.header().origin.entries, call.shared.store.hsms())
        .await
        .map_err(|error| refused(&error, StatusCode::CONFLICT))?;
    spawn_blocking(move || reader.read(opened.key.sub_key(Use::Backup)))
        .await
        .map_err(lost)?
        .map_err(|error| unusable(&error))
}

/// A backup that cannot be read. Its texts are made for the operator.
fn unusable(error: &backup::Error) -> Failure {
    match error {
        backup::Error::Crypto(_) => refused(error, StatusCode::INTERNAL_SERVER_ERROR),
        error => refused(error, StatusCode::BAD_REQUEST),
    }
}

fn refused(error: &dyn std::error::Error, status: StatusCode) -> Failure {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message.push_str(": ");
        message.push_str(&error.to_string());
        cause = error.source();
    }
    ApiError::new(status, message).into()
}

/// The thread panicked, which has been reported when it happened.
fn lost(error: JoinError) -> Failure {
    Failure::internal("the backup cannot be read", BoxError::from(error))
}
