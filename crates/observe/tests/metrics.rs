//! The metrics document as clients read it.

use std::collections::BTreeMap;
use std::time::Duration;

use keystead_observe::Metrics;

/// Names and types of the original, which existing clients look for.
const ORIGINAL: [(&str, &str); 11] = [
    ("kes_http_request_active", "gauge"),
    ("kes_http_response_time", "histogram"),
    ("kes_log_audit_events", "counter"),
    ("kes_log_error_events", "counter"),
    ("kes_system_mem_heap_objects", "gauge"),
    ("kes_system_mem_heap_used", "gauge"),
    ("kes_system_mem_stack_used", "gauge"),
    ("kes_system_num_cpu", "gauge"),
    ("kes_system_num_cpu_used", "gauge"),
    ("kes_system_num_threads", "gauge"),
    ("kes_system_up_time", "gauge"),
];

const ADDITIONS: [(&str, &str); 16] = [
    ("keystead_cache_hits_total", "counter"),
    ("keystead_cache_misses_total", "counter"),
    ("keystead_keystore_latency_seconds", "gauge"),
    ("keystead_keystore_login_failures_total", "counter"),
    ("keystead_keystore_logins_total", "counter"),
    ("keystead_keystore_renewal_failures_total", "counter"),
    ("keystead_keystore_renewals_total", "counter"),
    ("keystead_keystore_request_failures_total", "counter"),
    ("keystead_keystore_request_seconds", "histogram"),
    ("keystead_keystore_token_ttl_seconds", "gauge"),
    ("keystead_keystore_up", "gauge"),
    ("keystead_keystore_offline_since_timestamp_seconds", "gauge"),
    ("keystead_log_audit_dropped_total", "counter"),
    ("keystead_log_error_dropped_total", "counter"),
    ("keystead_log_stream_missed_total", "counter"),
    ("keystead_tls_certificate_expiry_timestamp_seconds", "gauge"),
];

fn types(text: &str) -> BTreeMap<&str, &str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .collect()
}

fn samples(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

#[test]
fn a_new_server_shows_all_families_without_labels() {
    let text = Metrics::new().unwrap().encode().unwrap();
    let expected: BTreeMap<_, _> = ORIGINAL.into_iter().chain(ADDITIONS).collect();
    assert_eq!(types(&text), expected);
    for (name, _) in expected.iter().filter(|(_, kind)| **kind != "histogram") {
        let series = |line: &&&str| line.split(['{', ' ']).next() == Some(name);
        assert_eq!(samples(&text).iter().filter(series).count(), 1, "{name}");
        assert!(!text.contains(&format!("{name}{{")), "{name} has labels");
    }
    assert!(text.len() < 1024 * 1024);
}

#[test]
fn answers_are_counted_by_class_and_status() {
    let metrics = Metrics::new().unwrap();
    for (status, times) in [(200, 3), (404, 2), (400, 1), (502, 1), (100, 1), (999, 1)] {
        for _ in 0..times {
            metrics.request(status, Duration::ZERO);
        }
    }
    let text = metrics.encode().unwrap();
    let requests: Vec<_> = samples(&text)
        .into_iter()
        .filter(|line| line.starts_with("kes_http_request_") && line.contains('{'))
        .collect();
    assert_eq!(
        requests,
        [
            r#"kes_http_request_error{code="400"} 1"#,
            r#"kes_http_request_error{code="404"} 2"#,
            r#"kes_http_request_failure{code="502"} 1"#,
            r#"kes_http_request_success{code="200"} 3"#,
        ]
    );
    for family in ["success", "error", "failure"] {
        assert_eq!(
            types(&text)[format!("kes_http_request_{family}").as_str()],
            "counter"
        );
    }
}

#[test]
fn response_times_fall_into_the_buckets_of_the_original() {
    let metrics = Metrics::new().unwrap();
    for milliseconds in [10, 11, 700, 20_000] {
        metrics.request(200, Duration::from_millis(milliseconds));
    }
    let text = metrics.encode().unwrap();
    let histogram: Vec<_> = samples(&text)
        .into_iter()
        .filter_map(|line| line.strip_prefix("kes_http_response_time_"))
        .collect();
    let buckets = [
        "0.01", "0.05", "0.1", "0.25", "0.5", "1", "1.5", "3", "5", "10", "+Inf",
    ];
    let counts = [1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4];
    let expected: Vec<String> = buckets
        .iter()
        .zip(counts)
        .map(|(bound, count)| format!(r#"bucket{{le="{bound}"}} {count}"#))
        .chain(["sum 20.721".to_owned(), "count 4".to_owned()])
        .collect();
    assert_eq!(histogram, expected);
}

#[test]
fn active_requests_are_those_whose_guard_lives() {
    let metrics = Metrics::new().unwrap();
    let first = metrics.request_started();
    let second = metrics.request_started();
    assert!(
        metrics
            .encode()
            .unwrap()
            .contains("\nkes_http_request_active 2\n")
    );
    drop(first);
    assert!(
        metrics
            .encode()
            .unwrap()
            .contains("\nkes_http_request_active 1\n")
    );
    drop(second);
    assert!(
        metrics
            .encode()
            .unwrap()
            .contains("\nkes_http_request_active 0\n")
    );
}

#[tokio::test(start_paused = true)]
async fn up_time_has_steps_of_ten_milliseconds() {
    let metrics = Metrics::new().unwrap();
    tokio::time::advance(Duration::from_micros(12_345_678)).await;
    assert_eq!(metrics.up_time(), Duration::from_micros(12_345_678));
    assert!(
        metrics
            .encode()
            .unwrap()
            .contains("\nkes_system_up_time 12.34\n")
    );
}

#[tokio::test(start_paused = true)]
async fn a_remote_key_store_is_shown() {
    let metrics = Metrics::new().unwrap();
    let shows = |expected: &[&str]| {
        let text = metrics.encode().unwrap();
        for line in expected {
            assert!(samples(&text).contains(line), "{line} in {text}");
        }
    };
    let ttl = "keystead_keystore_token_ttl_seconds";
    shows(&[&format!("{ttl} 0")]);
    metrics.remote().token(Some(Duration::from_secs(300)));
    tokio::time::advance(Duration::from_millis(60_500)).await;
    shows(&[&format!("{ttl} 239")]);
    tokio::time::advance(Duration::from_secs(300)).await;
    shows(&[&format!("{ttl} 0")]);
    metrics.remote().token(None);
    shows(&[&format!("{ttl} inf")]);
    metrics.remote().no_token();
    shows(&[&format!("{ttl} 0")]);

    metrics.remote().login(true);
    metrics.remote().login(false);
    metrics.remote().renewal(true);
    metrics.remote().renewal(true);
    metrics.remote().renewal(false);
    metrics.remote().request(Duration::from_millis(3), false);
    metrics.remote().request(Duration::from_secs(60), true);
    shows(&[
        "keystead_keystore_logins_total 1",
        "keystead_keystore_login_failures_total 1",
        "keystead_keystore_renewals_total 2",
        "keystead_keystore_renewal_failures_total 1",
        "keystead_keystore_request_failures_total 1",
        "keystead_keystore_request_seconds_count 2",
        "keystead_keystore_request_seconds_bucket{le=\"0.0025\"} 0",
        "keystead_keystore_request_seconds_bucket{le=\"0.005\"} 1",
    ]);
}

#[test]
fn notes_of_others_are_shown() {
    let metrics = Metrics::new().unwrap();
    metrics.cache_hit();
    metrics.cache_hit();
    metrics.cache_miss();
    metrics.keystore_online();
    metrics.keystore_latency(Duration::from_millis(250));
    metrics.certificate_expires("2026-01-01T00:00:00.9Z".parse().unwrap());
    let text = metrics.encode().unwrap();
    for line in [
        "keystead_cache_hits_total 2",
        "keystead_cache_misses_total 1",
        "keystead_keystore_up 1",
        "keystead_keystore_latency_seconds 0.25",
        "keystead_tls_certificate_expiry_timestamp_seconds 1767225600",
    ] {
        assert!(samples(&text).contains(&line), "{line}");
    }
}
