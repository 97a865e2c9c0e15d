use std::fs;
use std::sync::Mutex;

use serde_json::Value;
use tempfile::tempdir;

use super::*;
use crate::{BuildInfo, ChainVerifier, LogFormat};

/// An output that the test reads, and that can be held up.
#[derive(Clone, Default)]
struct Output {
    text: Arc<Mutex<Vec<u8>>>,
    gate: Arc<Mutex<()>>,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        drop(self.gate.lock().unwrap());
        self.text.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output {
    fn text(&self) -> String {
        String::from_utf8(self.text.lock().unwrap().clone()).unwrap()
    }
}

fn log(target: Option<AuditTarget>) -> (KmsAuditLog, KmsMetrics, Output) {
    let build = BuildInfo {
        version: "v".to_owned(),
        commit: "c".to_owned(),
        fips: false,
    };
    let metrics = KmsMetrics::new(&build, Timestamp::UNIX_EPOCH).unwrap();
    let errors = Output::default();
    let error_log = ErrorLog::for_kms(
        Level::INFO,
        LogFormat::Text,
        errors.clone(),
        Timestamp::now,
        &metrics,
    );
    let error_log = Arc::new(error_log.unwrap());
    let log = KmsAuditLog::new(target, "kms0:7373".to_owned(), error_log, &metrics).unwrap();
    (log, metrics, errors)
}

fn event() -> KmsAuditEvent {
    KmsAuditEvent {
        time: "2025-01-02T03:04:05.000000006Z".parse().unwrap(),
        id: 0x4f1c_0b7e_9a3d_2c11,
        ip: "10.0.0.9".parse().unwrap(),
        identity: Some(KmsIdentity::from_bytes([7; 32])),
        privilege: Some(Privilege::User),
        method: Method::POST,
        path: "/v1/kms/tenant-a".to_owned(),
        enclave: "tenant-a".to_owned(),
        commands: vec![AuditCommand {
            command: Command::GenerateKey,
            name: "my-key".to_owned(),
            version: 1,
            count: 1,
        }],
        status: 200,
        error: String::new(),
        reason: "allow KEY:GENERATE my-*".to_owned(),
        duration: Duration::from_micros(412),
        forwarded_by: String::new(),
    }
}

fn verify(text: &str) -> crate::ChainSummary {
    let mut verifier = ChainVerifier::new();
    verifier.read(text.as_bytes()).unwrap();
    verifier.finish()
}

#[tokio::test]
async fn a_record_has_the_members_of_the_protocol_in_their_order() {
    let output = Output::default();
    let (log, ..) = log(Some(AuditTarget::stream(output.clone())));
    assert!(log.enabled());
    log.record(event());
    log.record(KmsAuditEvent {
        identity: None,
        privilege: None,
        commands: Vec::new(),
        status: 403,
        error: "access denied: insufficient permissions".to_owned(),
        ..event()
    });
    log.flush().await;

    let text = output.text();
    let lines: Vec<_> = text.lines().collect();
    let expected = concat!(
        r#"{"v":1,"time":"2025-01-02T03:04:05.000000006Z","id":"4f1c0b7e9a3d2c11","#,
        r#""node":"kms0:7373","ip":"10.0.0.9","#,
        r#""identity":"h1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc","privilege":"User","#,
        r#""method":"POST","path":"/v1/kms/tenant-a","enclave":"tenant-a","#,
        r#""commands":[{"command":"KEY:GENERATE","name":"my-key","version":1,"count":1}],"#,
        r#""status":200,"error":"","reason":"allow KEY:GENERATE my-*","micros":412,"#,
        r#""forwarded_by":"","seq":1,"prev":"0000"#
    );
    assert!(lines[0].starts_with(expected), "{}", lines[0]);
    let refused: Value = serde_json::from_str(lines[1]).unwrap();
    assert_eq!(refused["identity"], "");
    assert_eq!(refused["privilege"], "");
    assert_eq!(refused["status"], 403);
    assert_eq!(verify(&text).records, 2);
}

#[tokio::test]
async fn a_file_goes_on_where_it_ended_without_what_a_crash_left() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("audit.log");
    for round in 1..=3 {
        let (log, metrics, errors) = log(Some(AuditTarget::file(&path).unwrap()));
        log.record(event());
        log.record(event());
        log.flush().await;
        let text = fs::read_to_string(&path).unwrap();
        let summary = verify(&text);
        assert_eq!((summary.records, summary.chains), (2 * round, 1));
        drop((log, metrics));
        if round == 1 {
            fs::write(&path, text + "{\"v\":1,\"time\":\"20").unwrap();
        }
        if round == 2 {
            let warning = "msg=\"incomplete audit record removed\" bytes=17\n";
            while !errors.text().ends_with(warning) {
                tokio::task::yield_now().await;
            }
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_file_with_something_else_is_left_alone() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    for text in ["dear diary\n", "dear diary", "{}", "\n"] {
        fs::write(&path, text).unwrap();
        let error = AuditTarget::file(&path).err().unwrap();
        assert!(error.to_string().contains("no audit record"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::write(&path, "{\"v\":1,\"time\":").unwrap();
    assert!(AuditTarget::file(&path).is_ok());
    assert!(AuditTarget::file(&folder.path().join("none/audit.log")).is_err());
}

#[tokio::test]
async fn what_is_lost_is_counted_told_and_written_down() {
    let output = Output::default();
    let (log, metrics, errors) = log(Some(AuditTarget::stream(output.clone())));
    let gate = output.gate.clone();
    let held = gate.lock().unwrap();
    while !metrics.encode().contains("minkms_audit_dropped_total 5\n") {
        log.record(event());
    }
    drop(held);
    log.flush().await;
    log.record(event());
    log.flush().await;

    let text = output.text();
    verify(&text);
    let lost: u64 = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter_map(|record| record["lost"].as_u64())
        .sum();
    assert_eq!(lost, 5);
    assert_eq!(errors.text().matches("audit log cannot keep up").count(), 1);
}

#[tokio::test]
async fn records_of_many_commands_take_no_more_memory() {
    let output = Output::default();
    let (log, metrics, _) = log(Some(AuditTarget::stream(output.clone())));
    let gate = output.gate.clone();
    let held = gate.lock().unwrap();
    let mut batch = event();
    let command = batch.commands.remove(0);
    batch.commands = vec![command; 10_000];
    for _ in 0..100 {
        log.record(batch.clone());
    }
    let text = metrics.encode();
    let dropped = text
        .lines()
        .find_map(|line| line.strip_prefix("minkms_audit_dropped_total "));
    let dropped: u64 = dropped.unwrap().parse().unwrap();
    // Some may have gone to the writer before it was held up.
    assert!((70..=80).contains(&dropped), "{dropped}");
    drop(held);
    log.flush().await;
    log.record(batch);
    log.flush().await;
    let summary = verify(&output.text());
    assert_eq!(summary.records, 101 - dropped);
}

#[tokio::test]
async fn a_log_without_target_writes_nothing() {
    let (silent, ..) = log(None);
    assert!(!silent.enabled());
    silent.set_enabled(true);
    assert!(!silent.enabled());
    let (log, ..) = log(Some(AuditTarget::stream(Output::default())));
    log.set_enabled(false);
    assert!(!log.enabled());
    log.set_enabled(true);
    assert!(log.enabled());
}
