//! The audit log and the error log as a server uses them.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::error::Error as StdError;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use keystead_identity::Identity;
use keystead_observe::{
    AuditEvent, AuditLog, ErrorEvent, ErrorLog, Level, Metrics, Received, RequestAttributes,
};
use keystead_wire_kes::{AuditRecord, ErrorRecord};

/// An output that tests can read, and that can block like a full pipe.
#[derive(Clone, Default)]
struct Output {
    text: Arc<Mutex<Vec<u8>>>,
    gate: Arc<Mutex<Option<mpsc::Receiver<()>>>>,
}

impl Output {
    fn text(&self) -> String {
        String::from_utf8(self.text.lock().unwrap().clone()).unwrap()
    }

    /// Writes wait until the returned sender is dropped.
    fn block(&self) -> mpsc::Sender<()> {
        let (release, gate) = mpsc::channel();
        *self.gate.lock().unwrap() = Some(gate);
        release
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(gate) = &*self.gate.lock().unwrap() {
            while gate.recv().is_ok() {}
        }
        self.text.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Logs {
    metrics: Metrics,
    errors: Arc<ErrorLog>,
    error_output: Output,
    audit: AuditLog,
    audit_output: Output,
}

fn logs(errors: Level, audit: Level) -> Logs {
    let metrics = Metrics::new().unwrap();
    let (error_output, audit_output) = (Output::default(), Output::default());
    let errors = ErrorLog::new(errors, error_output.clone(), clock, &metrics).unwrap();
    let errors = Arc::new(errors);
    let audit = AuditLog::new(audit, audit_output.clone(), errors.clone(), &metrics).unwrap();
    Logs {
        metrics,
        errors,
        error_output,
        audit,
        audit_output,
    }
}

impl Logs {
    fn metric(&self, name: &str) -> u64 {
        let text = self.metrics.encode().unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name));
        value.unwrap().trim().parse().unwrap()
    }
}

fn clock() -> Timestamp {
    "2025-05-26T10:00:00.25Z".parse().unwrap()
}

fn event(path: &str, code: u16) -> AuditEvent {
    AuditEvent {
        time: "2025-06-01T10:00:00.123456789Z".parse().unwrap(),
        method: Method::PUT,
        ip: Some("10.0.0.7".parse().unwrap()),
        path: path.to_owned(),
        identity: Some(Identity::from("3ecf")),
        code,
        duration: Duration::from_micros(1500),
    }
}

fn text(received: Option<Received>) -> String {
    match received {
        Some(Received::Line(line)) => String::from_utf8(line.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn audit_console_lines_have_the_words_of_the_original() {
    let logs = logs(Level::OFF, Level::INFO);
    logs.audit.record(event("/v1/key/create/my-key", 200));
    logs.audit.record(event("/v1/key/import/my-key", 200));
    logs.audit.record(event("/v1/key/delete/my-key", 200));
    logs.audit.record(event("/v1/key/create/my-key", 400));
    logs.audit.record(event("/v1/key/generate/my-key", 200));
    logs.audit.record(event("/v1/key/generate/my-key", 502));
    logs.audit.record(AuditEvent {
        ip: None,
        identity: None,
        ..event("/evil \nlevel=ERROR", 404)
    });
    logs.audit.flush().await;

    let line = |message: &str, path: &str, code: u16| {
        format!(
            "time=2025-06-01T10:00:00.123Z level=INFO msg=\"{message}\" req.method=PUT req.path={path} \
             req.ip=10.0.0.7 req.identity=3ecf res.code={code} res.time=1.5ms"
        )
    };
    let expected = [
        line("secret key 'my-key' created", "/v1/key/create/my-key", 200),
        line("secret key 'my-key' created", "/v1/key/import/my-key", 200),
        line("secret key 'my-key' deleted", "/v1/key/delete/my-key", 200),
        line("request refused", "/v1/key/create/my-key", 400),
        line("request served", "/v1/key/generate/my-key", 200),
        line("request failed", "/v1/key/generate/my-key", 502),
        "time=2025-06-01T10:00:00.123Z level=INFO msg=\"request refused\" req.method=PUT \
         req.path=\"/evil \\nlevel=ERROR\" res.code=404 res.time=1.5ms"
            .to_owned(),
    ];
    assert_eq!(
        logs.audit_output.text().lines().collect::<Vec<_>>(),
        expected
    );
}

#[tokio::test]
async fn audit_stream_is_independent_of_the_console_and_counts_nanoseconds() {
    let logs = logs(Level::OFF, Level::OFF);
    assert!(!logs.audit.enabled());
    logs.audit.record(event("/before", 200));
    let mut stream = logs.audit.subscribe();
    assert!(logs.audit.enabled());
    logs.audit.record(event("/v1/key/create/my-key", 200));
    let line = text(stream.next().await);
    assert_eq!(
        line,
        concat!(
            r#"{"time":"2025-06-01T10:00:00.123456789Z","request":{"ip":"10.0.0.7","#,
            r#""path":"/v1/key/create/my-key","identity":"3ecf"},"#,
            r#""response":{"code":200,"time":1500000}}"#,
            "\n"
        )
    );
    assert_eq!(logs.metric("kes_log_audit_events "), 1);
    assert_eq!(logs.metric("kes_log_error_events "), 0);

    let unknown = AuditEvent {
        ip: None,
        identity: None,
        ..event("/", 403)
    };
    logs.audit.record(unknown);
    let record: AuditRecord = serde_json::from_str(&text(stream.next().await)).unwrap();
    assert_eq!((record.request.ip, record.request.identity), (None, None));

    drop(stream);
    assert!(!logs.audit.enabled());
    logs.audit.flush().await;
    assert_eq!(logs.audit_output.text(), "");
}

#[tokio::test]
async fn audit_level_can_be_changed() {
    let logs = logs(Level::OFF, Level::OFF);
    for (level, shown) in [
        (Level::WARN, false),
        (Level::INFO, true),
        (Level::DEBUG, true),
        (Level::new(1), false),
    ] {
        logs.audit.set_level(level);
        assert_eq!(logs.audit.enabled(), shown, "{level}");
    }
}

#[tokio::test]
async fn error_lines_carry_request_attributes_and_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("failed to read key")]
    struct Outer(#[source] io::Error);

    let logs = logs(Level::INFO, Level::OFF);
    let identity = Identity::from("3ecf");
    let cause = Outer(io::Error::other("connection \"a\" refused"));
    logs.errors.record(
        ErrorEvent::new(Level::ERROR, "key store failed")
            .request(&RequestAttributes {
                method: &Method::POST,
                path: "/v1/key/generate/my-key",
                ip: Some("::1".parse().unwrap()),
                identity: Some(&identity),
            })
            .attribute("policy", "minio")
            .error(&cause),
    );
    logs.errors.record(ErrorEvent::new(Level::DEBUG, "unseen"));
    logs.errors
        .record(ErrorEvent::new(Level::new(2), "between levels"));
    logs.errors.flush().await;
    assert_eq!(
        logs.error_output.text(),
        concat!(
            r#"time=2025-05-26T10:00:00.250Z level=ERROR msg="key store failed" req.method=POST "#,
            r#"req.path=/v1/key/generate/my-key req.ip=::1 req.identity=3ecf policy=minio "#,
            r#"err="failed to read key: connection \"a\" refused""#,
            "\n",
            r#"time=2025-05-26T10:00:00.250Z level=INFO+2 msg="between levels""#,
            "\n"
        )
    );
}

#[test]
fn an_error_that_quotes_its_cause_says_it_once() {
    #[derive(Debug, thiserror::Error)]
    #[error("login failed: {0}")]
    struct Outer(#[source] io::Error);

    let event =
        |error: &dyn StdError| format!("{:?}", ErrorEvent::new(Level::ERROR, "x").error(error));
    let quoting = event(&Outer(io::Error::other("refused")));
    assert_eq!(quoting.matches("refused").count(), 1, "{quoting}");
}

#[tokio::test]
async fn error_stream_carries_info_and_above_whatever_the_console_shows() {
    let logs = logs(Level::OFF, Level::OFF);
    assert!(!logs.errors.enabled(Level::ERROR));
    let mut stream = logs.errors.subscribe();
    assert!(logs.errors.enabled(Level::INFO) && !logs.errors.enabled(Level::DEBUG));
    logs.errors.record(ErrorEvent::new(Level::DEBUG, "unseen"));
    logs.errors
        .record(ErrorEvent::new(Level::INFO, "say \"hello\""));
    let line = text(stream.next().await);
    assert!(
        line.starts_with(r#"{"message":"time="#) && line.ends_with("}\n"),
        "{line}"
    );
    let record: ErrorRecord = serde_json::from_str(&line).unwrap();
    assert_eq!(
        record.message,
        r#"time=2025-05-26T10:00:00.250Z level=INFO msg="say \"hello\"""#
    );
    assert_eq!(logs.metric("kes_log_error_events "), 1);
    logs.errors.set_level(Level::DEBUG);
    assert!(logs.errors.enabled(Level::DEBUG));
}

#[tokio::test]
async fn a_blocked_console_drops_counts_and_reports_once() {
    let logs = logs(Level::INFO, Level::INFO);
    let mut stream = logs.audit.subscribe();
    let release = logs.audit_output.block();
    // The queue holds 4096 and the writer's buffer a few more.
    const EVENTS: u64 = 10_000;
    for _ in 0..EVENTS {
        logs.audit.record(event("/v1/key/generate/my-key", 200));
    }
    let dropped = logs.metric("keystead_log_audit_dropped_total ");
    assert!((4000..=EVENTS - 4096).contains(&dropped), "{dropped}");
    logs.errors.flush().await;
    assert_eq!(
        logs.error_output
            .text()
            .matches("events are dropped")
            .count(),
        1
    );
    // Subscribers do not suffer from the console.
    assert!(matches!(stream.next().await, Some(Received::Missed(_))));

    drop(release);
    logs.audit.flush().await;
    let written = u64::try_from(logs.audit_output.text().lines().count()).unwrap();
    assert_eq!(written + dropped, EVENTS);
    assert_eq!(logs.metric("keystead_log_audit_dropped_total "), dropped);
}

#[tokio::test]
async fn a_console_that_cannot_be_written_loses_lines_but_stops_nothing() {
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let metrics = Metrics::new().unwrap();
    let log = ErrorLog::new(Level::INFO, Broken, clock, &metrics).unwrap();
    log.record(ErrorEvent::new(Level::INFO, "lost"));
    log.flush().await;
    log.record(ErrorEvent::new(Level::INFO, "lost"));
    log.flush().await;
    assert!(
        !metrics
            .encode()
            .unwrap()
            .contains("keystead_log_error_dropped_total 0")
    );
}

#[tokio::test]
async fn a_slow_subscriber_learns_what_it_missed_and_goes_on() {
    let logs = logs(Level::OFF, Level::OFF);
    let mut slow = logs.audit.subscribe();
    let mut quick = logs.audit.subscribe();
    for number in 0..1500 {
        logs.audit.record(event(&format!("/{number}"), 200));
        text(quick.next().await);
    }
    assert_eq!(slow.next().await, Some(Received::Missed(1500 - 1024)));
    for number in 476..1500 {
        assert!(text(slow.next().await).contains(&format!("\"/{number}\"")));
    }
    assert_eq!(logs.metric("keystead_log_stream_missed_total "), 476);
    assert_eq!(logs.metric("kes_log_audit_events "), 1500 + 1024);
}

#[tokio::test]
async fn a_subscription_ends_with_its_log() {
    let logs = logs(Level::OFF, Level::OFF);
    let mut stream = logs.audit.subscribe();
    drop(logs);
    assert_eq!(stream.next().await, None);
}
