//! The commands of one request, which succeed or fail as a whole (MinIO KMS protocol,
//! section 3.2; decisions D19 and D20).

use http::StatusCode;
use hyper::body::Incoming;
use keystead_observe::CommandResult;
use keystead_policy::rules::Decision;
use keystead_store::State;
use keystead_wire_kms::message::ClusterStatusRequest;
use keystead_wire_kms::{ApiError, Command, Error, Frame, FrameWriter, Request, split_frames};
use tokio::task::yield_now;

use crate::answer::{self, Answer};
use crate::body::{self, MAX_COMMANDS};
use crate::call::Call;
use crate::caller::Caller;
use crate::change;
use crate::check::check;
use crate::decide::decide;
use crate::failure::{Failure, bad_request};
use crate::read::read;
use crate::record::Record;

/// Commands after which others on the same thread have their turn. A request with fewer
/// is answered without waiting for anything.
const TURN: usize = 128;

/// Answers a request to `/v1/kms`.
pub(crate) async fn serve(
    call: &Call<'_>,
    enclave: Option<&str>,
    body: Incoming,
    record: &mut Record<'_>,
) -> Answer {
    // Nobody unknown makes the server take in a body.
    let state = call.shared.store.state();
    record.let_in(&enter(call, &state, enclave)?);
    drop(state);
    let body = body::read(call, body, MAX_COMMANDS).await?;
    record.received(body.len());
    call.shared.store.check().map_err(|stopped| {
        Failure::unavailable("the server has stopped serving its state", stopped)
    })?;

    // Rights may have gone while the body was on its way. From here on the state is one.
    let state = call.shared.store.state();
    let caller = enter(call, &state, enclave)?;
    let commands = commands(&body, &caller)?;
    let requests = decode(call, &caller, &commands)?;
    record.asked(&requests);
    let answer = execute(call, &state, &caller, &requests, record).await;
    let result = match &answer {
        Ok(_) => CommandResult::Ok,
        Err(failure) => result_of(failure.error.status),
    };
    for run in requests.chunk_by(|one, next| one.command() == next.command()) {
        if let Some(first) = run.first() {
            let count = u64::try_from(run.len()).unwrap_or(u64::MAX);
            let metrics = &call.shared.metrics;
            metrics.commands(first.command(), result, count);
        }
    }
    answer
}

/// Step 2.
fn enter<'s>(
    call: &Call<'_>,
    state: &'s State,
    enclave: Option<&str>,
) -> Result<Caller<'s>, ApiError> {
    let root = call.shared.store.root();
    Caller::enter(state, root, call.identity, enclave)
}

/// Steps 3 and 4: the frames, their codes, and whether they belong here.
fn commands<'b>(body: &'b [u8], caller: &Caller<'_>) -> Result<Vec<(Command, Frame<'b>)>, Failure> {
    let frames = split_frames(body)?;
    let commands = frames.into_iter().map(|frame| {
        let code = frame.code;
        let command = Command::from_code(code).ok_or(Error::CommandCode { code })?;
        Ok((command, frame))
    });
    let commands = commands.collect::<Result<Vec<_>, Error>>()?;
    if commands.len() > 1 && commands.iter().any(|(command, _)| command.is_write()) {
        return Err(ApiError::MIXED_COMMANDS.into());
    }
    for (command, _) in &commands {
        in_scope(*command, caller)?;
    }
    Ok(commands)
}

fn in_scope(command: Command, caller: &Caller<'_>) -> Result<(), Failure> {
    let wrong = match (caller.is_in_enclave(), command.is_cluster_wide()) {
        (true, false) | (false, true) => return Ok(()),
        // The root may ask who it is (decision D21).
        (false, false) if command == Command::IdentityStatus => return Ok(()),
        (true, true) => "is not a command of an enclave",
        (false, false) => "needs an enclave in the path",
    };
    match caller.is_root() {
        true => Err(bad_request(format!("{command} {wrong}"))),
        false => Err(ApiError::NOT_ALLOWED.into()),
    }
}

/// Step 5.
fn decode(
    call: &Call<'_>,
    caller: &Caller<'_>,
    commands: &[(Command, Frame<'_>)],
) -> Result<Vec<Request>, Failure> {
    commands
        .iter()
        .map(|(_, frame)| {
            let request = Request::decode(*frame)?;
            check(&request, caller, call.shared.mode)?;
            Ok(request)
        })
        .collect()
}

/// Steps 6 and 7.
async fn execute(
    call: &Call<'_>,
    state: &State,
    caller: &Caller<'_>,
    requests: &[Request],
    record: &mut Record<'_>,
) -> Answer {
    for (at, request) in requests.iter().enumerate() {
        let decision = decide(caller, request);
        if at == 0 || !decision.is_allowed() {
            record.decided(decision.reason());
        }
        if let Decision::Denied(_) = decision {
            return Err(ApiError::NOT_ALLOWED.into());
        }
    }
    let mut frames = FrameWriter::new();
    for (at, request) in requests.iter().enumerate() {
        if at > 0 && at.is_multiple_of(TURN) {
            yield_now().await;
        }
        let command = request.command();
        if command.is_write() {
            change::execute(call, caller, request).await?;
            frames.write(command, &ClusterStatusRequest {});
        } else {
            let version = read(call, state, caller, request, &mut frames)?;
            record.used(at, version);
        }
    }
    Ok(answer::frames(frames))
}

fn result_of(status: StatusCode) -> CommandResult {
    match status {
        StatusCode::FORBIDDEN => CommandResult::Denied,
        StatusCode::NOT_FOUND => CommandResult::NotFound,
        status if status.is_client_error() => CommandResult::Invalid,
        _ => CommandResult::Error,
    }
}
