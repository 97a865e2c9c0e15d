//! The error log and the metrics of a MinIO KMS server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use keystead_observe::{
    BuildInfo, ClusterFigures, CommandResult, ErrorEvent, ErrorLog, KmsApi, KmsMetrics, Level,
    LogFormat,
};
use keystead_wire_kms::Command;

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn metrics() -> KmsMetrics {
    let build = BuildInfo {
        version: "2026-11-21T16-00-00Z".to_owned(),
        commit: "c0ffee".to_owned(),
        fips: true,
    };
    KmsMetrics::new(&build, Timestamp::from_second(1_700_000_000).unwrap()).unwrap()
}

fn clock() -> Timestamp {
    "2025-05-26T10:00:00.25Z".parse().unwrap()
}

fn log(level: Level, format: LogFormat) -> (ErrorLog, Output, KmsMetrics) {
    let (output, metrics) = (Output::default(), metrics());
    let log = ErrorLog::for_kms(level, format, output.clone(), clock, &metrics).unwrap();
    (log, output, metrics)
}

fn event(level: Level) -> ErrorEvent {
    ErrorEvent::new(level, "store is \"slow\"").attribute("path", "/a b")
}

#[tokio::test]
async fn lines_are_text_or_json() {
    for (format, line) in [
        (
            LogFormat::Text,
            r#"time=2025-05-26T10:00:00.250Z level=WARN msg="store is \"slow\"" path="/a b""#,
        ),
        (
            LogFormat::Json,
            r#"{"time":"2025-05-26T10:00:00.250Z","level":"WARN","msg":"store is \"slow\"","path":"/a b"}"#,
        ),
    ] {
        let (log, output, _) = log(Level::INFO, format);
        log.record(event(Level::WARN));
        log.record(event(Level::DEBUG));
        log.flush().await;
        assert_eq!(output.text(), format!("{line}\n"));
    }
}

#[tokio::test]
async fn followers_get_the_past_and_the_future_of_their_level() {
    let (log, output, metrics) = log(Level::OFF, LogFormat::Text);
    log.record(event(Level::INFO));
    log.record(event(Level::ERROR));
    let mut all = log.follow(Level::INFO, Some(clock())).unwrap();
    let mut errors = log.follow(Level::ERROR, Some(clock())).unwrap();
    let mut later = log.follow(Level::INFO, None).unwrap();
    let after = clock() + Duration::from_nanos(1);
    let mut none = log.follow(Level::INFO, Some(after)).unwrap();
    log.record(event(Level::WARN));

    let levels = |entries: [Option<Arc<keystead_observe::LogEntry>>; 3]| {
        entries.map(|entry| entry.unwrap().level)
    };
    let received = [all.next().await, all.next().await, all.next().await];
    assert_eq!(levels(received), [Level::INFO, Level::ERROR, Level::WARN]);
    let error = errors.next().await.unwrap();
    assert_eq!(error.level, Level::ERROR);
    assert_eq!(error.message, "store is \"slow\" path=\"/a b\"");
    assert!(error.location.file().ends_with("kms.rs"));
    assert_eq!(later.next().await.unwrap().level, Level::WARN);
    assert_eq!(none.next().await.unwrap().level, Level::WARN);

    drop(log);
    assert!(errors.next().await.is_none());
    assert_eq!(output.text(), "");
    let text = metrics.encode();
    for line in [
        "minkms_log_records_total{level=\"info\"} 1\n",
        "minkms_log_records_total{level=\"warn\"} 1\n",
        "minkms_log_records_total{level=\"error\"} 1\n",
        "minkms_log_records_total{level=\"debug\"} 0\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

#[tokio::test]
async fn the_history_is_bounded() {
    let (log, ..) = log(Level::OFF, LogFormat::Text);
    for n in 0..5000 {
        log.record(ErrorEvent::new(Level::INFO, "record").attribute("n", n));
    }
    let mut past = log.follow(Level::INFO, Some(clock())).unwrap();
    let first = past.next().await.unwrap();
    assert_eq!(first.message, "record n=904");
    // A follower that sleeps loses the oldest, and goes on.
    let mut slow = log.follow(Level::INFO, None).unwrap();
    for n in 0..5000 {
        log.record(ErrorEvent::new(Level::INFO, "record").attribute("n", n));
    }
    let next = slow.next().await.unwrap();
    assert_eq!(next.message, "record n=3976");
}

#[tokio::test]
async fn debug_events_are_built_only_for_those_who_listen() {
    let (log, ..) = log(Level::OFF, LogFormat::Text);
    assert!(!log.enabled(Level::DEBUG) && log.enabled(Level::INFO));
    let one = log.follow(Level::DEBUG, None).unwrap();
    let two = log.follow(Level::DEBUG, None).unwrap();
    drop(one);
    assert!(log.enabled(Level::DEBUG));
    drop(two);
    assert!(!log.enabled(Level::DEBUG));
}

#[test]
fn metrics_are_counted_by_what_they_are() {
    let metrics = metrics();
    let active = metrics.request_started();
    metrics.request(KmsApi::Kms, 200, Duration::from_micros(300), 20, 1_000);
    metrics.request(KmsApi::Kms, 403, Duration::from_millis(2), 300, 60);
    metrics.request(KmsApi::Health, 200, Duration::ZERO, 0, 0);
    metrics.request(KmsApi::Db, 100, Duration::ZERO, 0, 0);
    metrics.commands(Command::ImportKey, CommandResult::Ok, 2);
    metrics.commands(Command::ListIdentities, CommandResult::Denied, 1);
    metrics.cluster(&ClusterFigures {
        nodes_up: 2,
        nodes_down: 1,
        leader: true,
        commit: 9,
        lag: 3,
        lease_valid: true,
    });
    metrics.hsm_up("hsm:minio:soft", true);
    metrics.hsm_sealed("hsm:minio:soft", false);
    metrics.stale_read();
    metrics.certificate_expires(Timestamp::from_second(1_800_000_000).unwrap());
    let text = metrics.encode();
    for line in [
        "http_total{api=\"health\",code=\"200\"} 1",
        "http_total{api=\"kms\",code=\"200\"} 1",
        "http_total{api=\"kms\",code=\"403\"} 1",
        "http_request_total{direction=\"in\"} 320",
        "http_request_total{direction=\"out\"} 1060",
        "http_request_inflight 1",
        "http_request_duration_bucket{api=\"kms\",le=\"0.0005\"} 1",
        "http_request_duration_bucket{api=\"kms\",le=\"+Inf\"} 2",
        "http_request_size_bucket{api=\"kms\",le=\"64.0\"} 1",
        "http_request_size_sum{api=\"kms\"} 320",
        "minkms_commands_total{command=\"KEY:IMPORT\",result=\"ok\"} 2",
        "minkms_commands_total{command=\"IDENTITY:LIST\",result=\"denied\"} 1",
        "minkms_cluster_nodes{state=\"up\"} 2",
        "minkms_cluster_nodes{state=\"down\"} 1",
        "minkms_cluster_leader 1",
        "minkms_cluster_commit 9",
        "minkms_cluster_lag_entries 3",
        "minkms_lease_valid 1",
        "minkms_stale_reads_total 1",
        "minkms_hsm_up{hsm=\"hsm:minio:soft\"} 1",
        "minkms_hsm_sealed{hsm=\"hsm:minio:soft\"} 0",
        "minkms_tls_not_after_seconds 1800000000",
        "minkms_start_time_seconds 1700000000",
        "minkms_build_info{commit=\"c0ffee\",fips=\"true\",version=\"2026-11-21T16-00-00Z\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(!text.contains("code=\"100\"") && text.ends_with("\n# EOF\n"));
    drop(active);
    assert!(metrics.encode().contains("http_request_inflight 0\n"));
}
