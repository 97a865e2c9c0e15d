//! The error log as a live stream (MinIO KMS protocol, section 8.2).

use bytes::Bytes;
use http::StatusCode;
use hyper::body::Incoming;
use keystead_http::Body;
use keystead_observe::{Level, LogEntry, LogSubscription};
use keystead_wire_kms::message::log_record::StackFrame;
use keystead_wire_kms::message::{LogRecord, LogRequest};
use keystead_wire_kms::{
    ApiError, decode_log_request, encode_log_record, from_timestamp, is_unset, to_timestamp,
};
use tokio::sync::mpsc::Sender;

use crate::answer::{self, Answer};
use crate::body;
use crate::call::Call;

/// The longest request, in bytes.
const MAX_REQUEST: usize = 64 << 10;

/// Sends the records that were asked for, until the client or the server ends.
pub(crate) async fn stream(call: &Call<'_>, body: Incoming) -> Answer {
    call.require_root()?;
    let body = body::read(call, body, MAX_REQUEST).await?;
    let request = decode_log_request(&body)?;

    let since = request.since.as_ref().filter(|it| !is_unset(Some(it)));
    let since = since.and_then(from_timestamp);
    let now = call.shared.error_log.now();
    let since = since.filter(|since| *since <= now);
    let subscription = call
        .shared
        .error_log
        .follow(Level::new(request.level), since)
        .ok_or_else(|| ApiError::new(StatusCode::NOT_IMPLEMENTED, "the log is not kept"))?;

    // One record at a time: the queue for slow readers is the subscription's.
    let (sender, body) = Body::stream(1);
    let stop = call.shared.stop.clone();
    tokio::spawn(async move {
        stop.run_until_cancelled(copy(request, subscription, sender))
            .await;
    });
    Ok(answer::stream(body))
}

async fn copy(request: LogRequest, mut subscription: LogSubscription, sender: Sender<Bytes>) {
    loop {
        let entry = tokio::select! {
            () = sender.closed() => return,
            entry = subscription.next() => match entry {
                Some(entry) => entry,
                None => return,
            },
        };
        if !entry.message.contains(&request.message) {
            continue;
        }
        let record = encode_log_record(record(&entry, request.trace_level));
        if sender.send(record.into()).await.is_err() {
            return;
        }
    }
}

fn record(entry: &LogEntry, trace_level: i32) -> LogRecord {
    let mut trace = Vec::new();
    if entry.level.value() >= trace_level {
        trace.push(StackFrame {
            function: String::new(),
            file: entry.location.file().to_owned(),
            line: entry.location.line(),
        });
    }
    LogRecord {
        level: entry.level.value(),
        time: Some(to_timestamp(entry.time)),
        message: entry.message.clone(),
        trace,
    }
}
