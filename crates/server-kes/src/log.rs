//! The log API: live streams of events (KES protocol, section 8).

use bytes::Bytes;
use http::HeaderValue;
use keystead_http::Body;
use keystead_observe::{Received, Subscription};
use keystead_wire_kes::CONTENT_TYPE_NDJSON;
use tokio::sync::mpsc::Sender;
use tokio::time::timeout;

use crate::answer::{self, Answer};
use crate::call::Call;

/// Sends every event from now on, until the client or the server ends.
pub(crate) fn stream(call: Call<'_>, subscription: Subscription) -> Answer {
    // One line at a time: the queue for slow readers is the subscription's.
    let (sender, body) = Body::stream(1);
    let stop = call.shared.stop.clone();
    let limit = call.route.timeout;
    tokio::spawn(async move {
        let copy = stop.run_until_cancelled(copy(subscription, sender));
        if limit.is_zero() {
            copy.await;
        } else {
            // A configured time-out ends the stream; that is no failure.
            timeout(limit, copy).await.ok();
        }
    });
    answer::with_type(HeaderValue::from_static(CONTENT_TYPE_NDJSON), body)
}

async fn copy(mut subscription: Subscription, sender: Sender<Bytes>) {
    loop {
        let line = tokio::select! {
            () = sender.closed() => return,
            received = subscription.next() => match received {
                Some(Received::Line(line)) => line,
                // Counted by the log, which has no record for it.
                Some(Received::Missed(_)) => continue,
                None => return,
            },
        };
        if sender.send(line).await.is_err() {
            return;
        }
    }
}
