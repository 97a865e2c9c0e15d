//! Answers exactly as servers write them, and read from servers of all releases.

use jiff::Timestamp;
use proptest::prelude::*;

use crate::{
    AuditRecord, AuditRequest, AuditResponse, BulkDecryptResponse, DecryptResponse,
    DescribeIdentity, DescribeKey, DescribePolicy, DescribeSelf, EncryptResponse, Error,
    ErrorRecord, GenerateResponse, HmacResponse, ReadPolicy, Rules, Status, Version,
    decode_response,
};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn writes_key_material() {
    assert_eq!(
        GenerateResponse::encode(b"hello", b"m"),
        "{\"plaintext\":\"aGVsbG8=\",\"ciphertext\":\"bQ==\"}\n"
    );
    assert_eq!(EncryptResponse::encode(b"m"), "{\"ciphertext\":\"bQ==\"}\n");
    assert_eq!(DecryptResponse::encode(b""), "{\"plaintext\":\"\"}\n");
    assert_eq!(HmacResponse::encode(b"m"), "{\"hmac\":\"bQ==\"}\n");
    assert_eq!(
        BulkDecryptResponse::encode(&["m", ""]),
        "[{\"plaintext\":\"bQ==\"},{\"plaintext\":\"\"}]\n"
    );
    assert_eq!(BulkDecryptResponse::encode::<&str>(&[]), "[]\n");
}

#[test]
fn writes_keys() {
    let mut key = DescribeKey {
        name: "my-key".to_owned(),
        algorithm: "AES256".to_owned(),
        created_at: Some(time("2024-01-12T10:39:20.886816Z")),
        created_by: "3ecf".to_owned(),
    };
    assert_eq!(
        key.encode(),
        "{\"name\":\"my-key\",\"algorithm\":\"AES256\",\
         \"created_at\":\"2024-01-12T10:39:20.886816Z\",\"created_by\":\"3ecf\"}\n"
    );
    key.created_at = None;
    key.created_by.clear();
    assert_eq!(
        key.encode(),
        "{\"name\":\"my-key\",\"algorithm\":\"AES256\",\"created_at\":\"0001-01-01T00:00:00Z\"}\n"
    );
    assert_eq!(decode_response(&key.encode()), Ok(key));
}

#[test]
fn reads_the_algorithms_of_older_servers() {
    for (field, algorithm) in [
        ("", "AES256"),
        (r#","algorithm":"AES256-GCM_SHA256""#, "AES256"),
        (r#","algorithm":"XCHACHA20-POLY1305""#, "ChaCha20"),
        (r#","algorithm":"ChaCha20","id":"66687a""#, "ChaCha20"),
    ] {
        let key: DescribeKey =
            decode_response(format!(r#"{{"name":"k"{field}}}"#).as_bytes()).unwrap();
        assert_eq!(key.algorithm, algorithm);
        assert_eq!(key.created_at, None);
    }
}

#[test]
fn writes_policies() {
    let created_at = Some(time("2025-06-01T10:00:00.123456789+02:00"));
    let policy = DescribePolicy {
        name: "minio".to_owned(),
        created_at,
        created_by: "disabled".to_owned(),
    };
    assert_eq!(
        policy.encode(),
        "{\"name\":\"minio\",\"created_at\":\"2025-06-01T08:00:00.123456789Z\",\
         \"created_by\":\"disabled\"}\n"
    );
    let rules = ReadPolicy {
        name: "minio".to_owned(),
        allow: Rules::from_iter(["/v1/status", "/v1/key/create/*"]),
        deny: Rules::default(),
        created_at,
        created_by: "disabled".to_owned(),
    };
    assert_eq!(
        rules.encode(),
        "{\"name\":\"minio\",\"allow\":{\"/v1/key/create/*\":{},\"/v1/status\":{}},\
         \"created_at\":\"2025-06-01T08:00:00.123456789Z\",\"created_by\":\"disabled\"}\n"
    );
    assert_eq!(decode_response(&rules.encode()), Ok(rules));
}

#[test]
fn reads_rules_of_all_releases() {
    for body in [
        r#"{"allow":["/a","/b"],"deny":null}"#,
        r#"{"allow":{"/b":{},"/a":{}},"deny":[]}"#,
        r#"{"allow":{"/b":null,"/a":{"x":1}}}"#,
    ] {
        let policy: ReadPolicy = decode_response(body.as_bytes()).unwrap();
        assert_eq!(
            policy.allow.iter().collect::<Vec<_>>(),
            ["/a", "/b"],
            "{body}"
        );
        assert!(policy.deny.is_empty());
    }
}

#[test]
fn writes_identities() {
    let created_at = Some(time("2025-06-01T10:00:00Z"));
    let admin = DescribeIdentity {
        admin: true,
        policy: None,
        created_at,
        created_by: None,
    };
    assert_eq!(
        admin.encode(),
        "{\"admin\":true,\"created_at\":\"2025-06-01T10:00:00Z\"}\n"
    );
    let user = DescribeIdentity {
        admin: false,
        policy: Some("minio".to_owned()),
        created_at,
        created_by: Some("3ecf".to_owned()),
    };
    assert_eq!(
        user.encode(),
        "{\"policy\":\"minio\",\"created_at\":\"2025-06-01T10:00:00Z\",\"created_by\":\"3ecf\"}\n"
    );
    assert_eq!(decode_response(&user.encode()), Ok(user));
}

#[test]
fn writes_the_caller() {
    let created_at = Some(time("2025-06-01T10:00:00Z"));
    let mut caller = DescribeSelf {
        identity: "ab".to_owned(),
        admin: false,
        created_at,
        created_by: Some("3ecf".to_owned()),
        policy: Some("minio".to_owned()),
        allow: Some(Rules::from_iter(["/v1/key/create/*"])),
        deny: Some(Rules::default()),
    };
    assert_eq!(
        caller.encode(),
        "{\"identity\":\"ab\",\"created_at\":\"2025-06-01T10:00:00Z\",\"created_by\":\"3ecf\",\
         \"policy\":\"minio\",\"allow\":{\"/v1/key/create/*\":{}},\"deny\":{}}\n"
    );
    assert_eq!(decode_response(&caller.encode()), Ok(caller.clone()));
    caller.admin = true;
    caller.created_by = None;
    caller.policy = None;
    caller.allow = None;
    caller.deny = None;
    assert_eq!(
        caller.encode(),
        "{\"identity\":\"ab\",\"admin\":true,\"created_at\":\"2025-06-01T10:00:00Z\"}\n"
    );
}

#[test]
fn writes_the_server() {
    let version = Version {
        version: "2025-03-12T09-35-18Z".to_owned(),
        commit: "<unknown>".to_owned(),
    };
    assert_eq!(
        version.encode(),
        "{\"version\":\"2025-03-12T09-35-18Z\",\"commit\":\"<unknown>\"}\n"
    );
    let mut status = Status {
        version: "v".to_owned(),
        os: "linux".to_owned(),
        arch: "amd64".to_owned(),
        uptime: 86400,
        num_cpu: 8,
        num_cpu_used: 4,
        mem_heap_used: 5_242_880,
        mem_stack_used: 1_048_576,
        keystore_latency: Some(3),
        keystore_unreachable: false,
        keystore_unavailable: false,
        serving_from_cache_since: None,
    };
    let start = "{\"version\":\"v\",\"os\":\"linux\",\"arch\":\"amd64\",\"uptime\":86400,\
                 \"num_cpu\":8,\"num_cpu_used\":4,\"mem_heap_used\":5242880,\
                 \"mem_stack_used\":1048576,";
    assert_eq!(
        status.encode(),
        format!("{start}\"keystore_latency\":3}}\n")
    );
    status.keystore_latency = None;
    status.keystore_unreachable = true;
    assert_eq!(
        status.encode(),
        format!("{start}\"keystore_unreachable\":true}}\n")
    );
    status.serving_from_cache_since = Some(time("2025-06-01T10:00:00Z"));
    assert_eq!(
        status.encode(),
        format!(
            "{start}\"keystore_unreachable\":true,\
             \"serving_from_cache_since\":\"2025-06-01T10:00:00Z\"}}\n"
        )
    );
    assert_eq!(decode_response(&status.encode()), Ok(status));
    assert!(decode_response::<Status>(br#"{"version":"v0.17"}"#).is_ok());
}

#[test]
fn writes_the_log_streams() {
    let mut record = AuditRecord {
        time: time("2025-06-01T10:00:00.123456789Z"),
        request: AuditRequest {
            ip: Some("10.0.0.7".parse().unwrap()),
            path: "/v1/key/create/my-key".to_owned(),
            identity: Some("3ecf".to_owned()),
        },
        response: AuditResponse {
            code: 200,
            time: 12,
        },
    };
    assert_eq!(
        record.encode(),
        "{\"time\":\"2025-06-01T10:00:00.123456789Z\",\"request\":{\"ip\":\"10.0.0.7\",\
         \"path\":\"/v1/key/create/my-key\",\"identity\":\"3ecf\"},\
         \"response\":{\"code\":200,\"time\":12}}\n"
    );
    assert_eq!(decode_response(&record.encode()), Ok(record.clone()));
    record.request.ip = None;
    record.request.identity = None;
    assert_eq!(
        record.encode(),
        "{\"time\":\"2025-06-01T10:00:00.123456789Z\",\
         \"request\":{\"path\":\"/v1/key/create/my-key\"},\"response\":{\"code\":200,\"time\":12}}\n"
    );
    let record = ErrorRecord {
        message: "level=WARN msg=\"x\"".to_owned(),
    };
    assert_eq!(
        record.encode(),
        "{\"message\":\"level=WARN msg=\\\"x\\\"\"}\n"
    );
}

#[test]
fn names_what_an_answer_lacks_but_never_its_content() {
    for body in ["", "{", r#"{"plaintext":"c2VjcmV0"}"#, "c2VjcmV0", "[]"] {
        let Err(error) = decode_response::<GenerateResponse>(body.as_bytes()) else {
            panic!("{body}");
        };
        assert!(matches!(error, Error::Response { .. }));
        assert!(!error.to_string().contains("c2V"), "{error}");
    }
}

proptest! {
    #[test]
    fn secrets_survive_the_way_to_the_client(a in any::<Vec<u8>>(), b in any::<Vec<u8>>()) {
        let answer: GenerateResponse = decode_response(&GenerateResponse::encode(&a, &b)).unwrap();
        prop_assert_eq!(&*answer.plaintext, &a);
        prop_assert_eq!(&answer.ciphertext, &b);
        let answer: BulkDecryptResponse =
            decode_response(&BulkDecryptResponse::encode(&[&a, &b])).unwrap();
        prop_assert_eq!(&*answer.items[1].plaintext, &b);
    }

}
