//! Answers exactly as servers write them, and read from servers of all releases.

use crate::{
    Api, ApiError, ApiInfo, ApiList, AuditRecord, AuditRequest, AuditResponse, Auth,
    BulkDecryptResponse, CONTENT_TYPE_NDJSON, DecryptResponse, DescribeIdentity, DescribeKey,
    DescribePolicy, DescribeSelf, ENDPOINTS, EncryptResponse, Endpoint, Error, ErrorRecord,
    GenerateResponse, HmacResponse, ListPattern, NamePage, PAGE_LIMIT, ReadPolicy, Rules, Status,
    Subject, Version, decode_response,
};
use http::{Method, StatusCode};
use jiff::Timestamp;
use proptest::prelude::*;

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
fn writes_error_texts_with_the_offending_value() {
    for (error, status, message) in [
        (
            ApiError::invalid_name(Subject::Key, "a/b"),
            400,
            "key name 'a/b' is empty, too long or contains invalid characters",
        ),
        (
            ApiError::invalid_name(Subject::Policy, ""),
            400,
            "policy name '' is empty, too long or contains invalid characters",
        ),
        (
            ApiError::invalid_name(Subject::Identity, "_"),
            400,
            "identity '_' is empty, too long or contains invalid characters",
        ),
        (
            ApiError::invalid_pattern("a-"),
            400,
            "listing pattern 'a-' is empty, too long or is invalid",
        ),
        (
            ApiError::method_not_allowed(&Method::GET, &Method::PUT),
            405,
            "received method 'GET' expected 'PUT'",
        ),
        (
            ApiError::unsupported_algorithm("AES"),
            406,
            "algorithm 'AES' is not supported",
        ),
        (
            ApiError::algorithm_not_in_fips("ChaCha20"),
            406,
            "algorithm 'ChaCha20' not supported by FIPS 140-2",
        ),
        (
            ApiError::invalid_key_size("AES256"),
            406,
            "invalid key size for 'AES256'",
        ),
    ] {
        assert_eq!(error.status.as_u16(), status);
        assert_eq!(error.message, message);
    }
    assert_eq!(
        ApiError::invalid_pattern("\"\n").body(),
        "{\"message\":\"listing pattern '\\\"\\n' is empty, too long or is invalid\"\n}"
    );
}

#[test]
fn speaks_to_clients_of_2021() {
    assert_eq!(
        ApiError::NOT_ALLOWED.historic().body(),
        "{\"message\":\"prohibited by policy\"\n}"
    );
    assert_eq!(
        ApiError::KEY_EXISTS.historic().body(),
        "{\"message\":\"key does already exist\"\n}"
    );
    assert_eq!(ApiError::KEY_NOT_FOUND.historic(), ApiError::KEY_NOT_FOUND);
}

#[test]
fn reads_errors_of_all_releases() {
    let json = Some("application/json; charset=utf-8");
    let decode = |status, content_type, body: &str| {
        ApiError::decode(
            StatusCode::from_u16(status).unwrap(),
            content_type,
            body.as_bytes(),
        )
    };
    assert_eq!(
        decode(403, json, r#"{"message":"prohibited by policy"}"#),
        ApiError::NOT_ALLOWED
    );
    assert_eq!(
        decode(400, json, r#"{"message":"key does already exist"}"#),
        ApiError::KEY_EXISTS
    );
    assert_eq!(
        decode(404, json, r#"{"message":"x","error":"key does not exist"}"#),
        ApiError::KEY_NOT_FOUND
    );
    assert_eq!(
        decode(404, Some("text/plain"), "404 page not found\n").message,
        "404 page not found"
    );
    assert_eq!(decode(502, None, "").message, "");
    assert_eq!(decode(502, json, "<html>").message, "<html>");
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

#[test]
fn knows_every_endpoint() {
    let text: String = ENDPOINTS
        .iter()
        .map(|endpoint| {
            let skip = if endpoint.may_skip_auth { " open" } else { "" };
            format!(
                "{} {} {} {} {:?}{skip}\n",
                endpoint.method,
                endpoint.path,
                endpoint.max_body,
                endpoint.timeout.as_secs(),
                endpoint.auth,
            )
        })
        .collect();
    assert_eq!(
        text,
        "GET /version 0 10 None open\n\
         GET /v1/ready 0 15 Policy open\n\
         GET /v1/status 0 15 Policy open\n\
         GET /v1/metrics 0 15 Policy open\n\
         GET /v1/api 0 10 Policy open\n\
         PUT /v1/key/create/ 0 15 Policy\n\
         PUT /v1/key/import/ 1000000 15 Policy\n\
         GET /v1/key/describe/ 0 15 Policy\n\
         GET /v1/key/list/ 0 15 Policy\n\
         DELETE /v1/key/delete/ 0 15 Policy\n\
         PUT /v1/key/generate/ 1000000 15 Policy\n\
         PUT /v1/key/encrypt/ 1000000 15 Policy\n\
         PUT /v1/key/decrypt/ 1000000 15 Policy\n\
         PUT /v1/key/bulk/decrypt/ 1000000 15 Policy\n\
         PUT /v1/key/hmac/ 1000000 15 Policy\n\
         GET /v1/policy/describe/ 0 15 Policy\n\
         GET /v1/policy/read/ 0 15 Policy\n\
         GET /v1/policy/list/ 0 15 Policy\n\
         GET /v1/identity/describe/ 0 15 Policy\n\
         GET /v1/identity/list/ 0 15 Policy\n\
         GET /v1/identity/self/describe 0 15 Certificate\n\
         GET /v1/log/error 0 0 Policy\n\
         GET /v1/log/audit 0 0 Policy\n"
    );
}

#[test]
fn describes_endpoints() {
    let create = Endpoint::of_path("/v1/key/create/").unwrap();
    assert!(create.has_resource());
    assert!(create.accepts(&Method::PUT) && create.accepts(&Method::POST));
    assert!(!create.accepts(&Method::GET));
    assert_eq!(create.timeout_error(), Some(ApiError::CREATE_KEY_FAILED));
    let version = Endpoint::of_path("/version").unwrap();
    assert_eq!((version.api, version.auth), (Api::Version, Auth::None));
    assert!(!version.has_resource());
    assert!(!version.accepts(&Method::HEAD) && !version.accepts(&Method::POST));
    assert_eq!(version.timeout_error(), None);
    assert!(Endpoint::of_path("/v1/key/create").is_none());
    let apis = ApiList {
        apis: vec![ApiInfo::from(create)],
    };
    assert_eq!(
        apis.encode(),
        "[{\"method\":\"PUT\",\"path\":\"/v1/key/create/\",\"max_body\":0,\"timeout\":15}]\n"
    );
}

#[test]
fn writes_listings() {
    let mut page = NamePage {
        names: vec!["alpha".to_owned(), "beta".to_owned()],
        continue_at: Some("@gamma".to_owned()),
    };
    assert_eq!(
        page.encode(Subject::Key),
        "{\"names\":[\"alpha\",\"beta\"],\"continue_at\":\"@gamma\"}\n"
    );
    page.continue_at = None;
    assert_eq!(
        page.encode(Subject::Key),
        "{\"names\":[\"alpha\",\"beta\"]}\n"
    );
    assert_eq!(
        page.encode(Subject::Policy),
        "{\"names\":[\"alpha\",\"beta\"],\"continue_at\":\"\"}\n"
    );
    assert_eq!(
        NamePage::default().encode(Subject::Identity),
        "{\"identities\":[],\"continue_at\":\"\"}\n"
    );
    assert_eq!(NamePage::default().encode(Subject::Key), "{\"names\":[]}\n");
}

#[test]
fn reads_listings_of_all_releases() {
    let decode = |content_type, body: &str| NamePage::decode(Some(content_type), body.as_bytes());
    let names = |names: &[&str]| NamePage {
        names: names.iter().copied().map(str::to_owned).collect(),
        continue_at: None,
    };
    for body in [
        r#"{"names":null}"#,
        "{}",
        r#"{"identities":[],"continue_at":""}"#,
    ] {
        assert_eq!(decode("application/json", body), Ok(names(&[])), "{body}");
    }
    assert_eq!(
        decode(
            "application/json",
            r#"{"identities":["a"],"continue_at":"b"}"#
        ),
        Ok(NamePage {
            continue_at: Some("b".to_owned()),
            ..names(&["a"])
        })
    );
    assert_eq!(
        decode(
            CONTENT_TYPE_NDJSON,
            "{\"name\":\"a\",\"created_by\":\"x\"}\n{\"name\":\"b\"}\n"
        ),
        Ok(names(&["a", "b"]))
    );
    assert_eq!(
        decode(CONTENT_TYPE_NDJSON, "{\"identity\":\"a\",\"admin\":true}\n"),
        Ok(names(&["a"]))
    );
    assert_eq!(decode(CONTENT_TYPE_NDJSON, ""), Ok(names(&[])));
    assert_eq!(
        decode(
            CONTENT_TYPE_NDJSON,
            "{\"name\":\"a\"}\n{\"error\":\"broken\"}\n"
        ),
        Err(Error::Listing {
            message: "broken".to_owned()
        })
    );
    assert!(decode(CONTENT_TYPE_NDJSON, "{\"name\":\"a\"}\n{\"na").is_err());
    assert!(decode("application/json", "\"a\"").is_err());
}

/// Walks all pages as a client does.
fn walk(prefix: &str, names: &[String]) -> (Vec<String>, usize) {
    let mut all = Vec::new();
    let mut pattern = prefix.to_owned();
    for pages in 1.. {
        let page = NamePage::of_keys(
            &ListPattern::parse(&pattern).unwrap(),
            names.iter().cloned(),
        );
        assert!(page.encode(Subject::Key).len() < PAGE_LIMIT);
        all.extend(page.names);
        let Some(next) = page.continue_at else {
            return (all, pages);
        };
        pattern = next;
    }
    unreachable!()
}

#[test]
fn long_listings_are_walked_in_pages() {
    let names: Vec<String> = (0..25_000).map(|n| format!("k-{n:078}")).collect();
    let page = NamePage::of_keys(&ListPattern::default(), names.iter().cloned());
    assert!(page.names.len() >= 12_000);
    assert_eq!(
        page.continue_at,
        Some(format!("@{}", names[page.names.len()]))
    );
    assert_eq!(walk("", &names), (names.clone(), 3));
    assert_eq!(walk("k-*", &names), (names.clone(), 3));
    let tenth: Vec<_> = (1000..2000).map(|n| names[n].clone()).collect();
    let prefix = &names[1000][..77];
    assert_eq!(walk(prefix, &names), (tenth, 1));
}

#[test]
fn names_that_break_the_rules_do_not_break_paging() {
    let mut names: Vec<String> = (0..40_000).map(|n| format!("{n:040}.key")).collect();
    names.extend((0..40_000).step_by(1000).map(|n| format!("{n:040}")));
    names.sort_unstable();
    let (all, pages) = walk("", &names);
    assert_eq!(all, names);
    assert!(pages > 1);
    let unreachable: Vec<String> = (0..40_000).map(|n| format!("{n:040}.key")).collect();
    assert_eq!(walk("", &unreachable), (vec![], 1));
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

    #[test]
    fn errors_survive_the_way_to_the_client(text in any::<String>()) {
        let error = ApiError::unsupported_algorithm(&text);
        let decoded = ApiError::decode(error.status, Some("application/json"), &error.body());
        prop_assert_eq!(decoded, error);
    }

    #[test]
    fn valid_patterns_match_by_prefix(prefix in "[a-z]{0,3}", name in "[a-z]{1,5}") {
        let pattern = ListPattern::parse(&format!("{prefix}*")).unwrap();
        prop_assert_eq!(pattern.matches(&name), name.starts_with(&prefix));
        let pattern = ListPattern::parse(&format!("{prefix}@{name}")).unwrap();
        prop_assert_eq!(pattern.matches(&name), name.starts_with(&prefix));
        prop_assert!(!pattern.matches(""));
    }
}
