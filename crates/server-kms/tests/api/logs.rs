//! The live log (MinIO KMS protocol, section 8.2).

use http::{Method, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use jiff::{SignedDuration, Timestamp};
use keystead_observe::{ErrorEvent, Level};
use keystead_wire_kms::message::{LogRecord, LogRequest};
use keystead_wire_kms::{LogDecoder, MAX_LOG_RECORD, to_timestamp};
use prost::Message;

use crate::support::{Client, Payload, VERSIONS, World, unhex, vectors};

/// A stream of log records.
struct Stream {
    response: Response<Incoming>,
    decoder: LogDecoder,
}

impl Stream {
    async fn open(client: &mut Client, body: Vec<u8>) -> Self {
        let request = Client::request(Method::POST, "/v1/debug/log")
            .header("accept", "application/octet-stream")
            .header("content-type", "application/octet-stream")
            .body(Payload::sized(body));
        let response = client.open(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(
            response.headers()["content-type"],
            "application/octet-stream"
        );
        assert!(!response.headers().contains_key("content-encoding"));
        Self {
            response,
            decoder: LogDecoder::new(),
        }
    }

    async fn next(&mut self) -> Option<LogRecord> {
        loop {
            if let Some(record) = self.decoder.next_record().unwrap() {
                return Some(record);
            }
            let frame = self.response.body_mut().frame().await?;
            self.decoder.push(&frame.unwrap().into_data().unwrap());
        }
    }
}

fn record(world: &World, level: Level, message: &'static str) {
    world
        .error_log
        .record(ErrorEvent::new(level, message).attribute("n", 1));
}

fn request(level: i32, message: &str, since: Option<Timestamp>, trace_level: i32) -> Vec<u8> {
    let request = LogRequest {
        level,
        message: message.into(),
        since: since.map(to_timestamp),
        trace_level,
    };
    request.encode_to_vec()
}

#[tokio::test]
async fn new_records_arrive_at_once() {
    let world = World::new().await;
    for version in VERSIONS {
        let mut root = world.client(0, version).await;
        record(&world, Level::ERROR, "before");
        // Level 4, message "m", no time, trace level 8: what the official client sends.
        let vector = vectors("log_request_without_since");
        let golden = unhex(vector["body"].as_str().unwrap());
        let mut stream = Stream::open(&mut root, golden).await;
        record(&world, Level::INFO, "message too low");
        record(&world, Level::ERROR, "other");
        record(&world, Level::WARN, "message");
        record(&world, Level::ERROR, "message");
        let first = stream.next().await.unwrap();
        assert_eq!((first.level, &*first.message), (4, "message n=1"));
        assert!(first.trace.is_empty());
        let second = stream.next().await.unwrap();
        assert_eq!(second.level, 8);
        assert!(second.trace[0].file.ends_with("logs.rs") && second.trace[0].line > 0);
        assert!(second.time.is_some());
    }
}

#[tokio::test]
async fn the_past_comes_first_and_only_once() {
    let world = World::new().await;
    let mut root = world.root().await;
    record(&world, Level::INFO, "too old");
    let since = Timestamp::now();
    record(&world, Level::INFO, "one");
    record(&world, Level::INFO, "two");
    let mut stream = Stream::open(&mut root, request(0, "n=1", Some(since), 9)).await;
    record(&world, Level::INFO, "three");
    for expected in ["one n=1", "two n=1", "three n=1"] {
        let record = stream.next().await.unwrap();
        assert_eq!(record.message, expected);
    }
    // A time to come means nothing.
    let future = since + SignedDuration::from_hours(1);
    let mut stream = Stream::open(&mut root, request(0, "", Some(future), 9)).await;
    record(&world, Level::INFO, "four");
    assert_eq!(stream.next().await.unwrap().message, "four n=1");
}

#[tokio::test]
async fn debug_records_are_for_those_who_ask() {
    let world = World::new().await;
    world.error_log.set_level(Level::OFF);
    assert!(!world.error_log.enabled(Level::DEBUG));
    let mut root = world.root().await;
    let mut stream = Stream::open(&mut root, request(-4, "", None, 9)).await;
    assert!(world.error_log.enabled(Level::DEBUG));
    record(&world, Level::DEBUG, "detail");
    assert_eq!(stream.next().await.unwrap().level, -4);
    drop(stream);
    while world.error_log.enabled(Level::DEBUG) {
        record(&world, Level::DEBUG, "detail");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_long_record_is_shortened() {
    let world = World::new().await;
    let mut root = world.root().await;
    let mut stream = Stream::open(&mut root, request(0, "", None, 0)).await;
    let event = ErrorEvent::new(Level::ERROR, "long");
    world
        .error_log
        .record(event.attribute("text", "x".repeat(2 * MAX_LOG_RECORD)));
    let record = stream.next().await.unwrap();
    assert!(record.message.starts_with("long text=xxx"));
    assert!(record.encoded_len() <= MAX_LOG_RECORD);
}

#[tokio::test]
async fn a_stream_ends_with_the_server_between_two_records() {
    let world = World::new().await;
    let mut root = world.root().await;
    let mut stream = Stream::open(&mut root, request(0, "n=1", None, 9)).await;
    record(&world, Level::ERROR, "last");
    assert!(stream.next().await.is_some());
    world.server.shutdown().await;
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_request_that_is_none_is_refused() {
    let world = World::new().await;
    let mut root = world.root().await;
    let body = Payload::sized(vec![0x08]);
    let answer = root.call(Method::POST, "/v1/debug/log", body).await;
    answer.is_error(400, "invalid log message");
}
