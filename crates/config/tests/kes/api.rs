//! `api`: known paths, what may be opened, what is warned about.

use std::time::Duration;

use keystead_wire_kes::ENDPOINTS;

use super::{complete, refusal, settings, warnings};

#[test]
fn every_known_path_takes_a_timeout() {
    for endpoint in &ENDPOINTS {
        let config = settings(&format!("api: {{ {}: {{ timeout: 7s }} }}", endpoint.path));
        assert_eq!(
            config.api[endpoint.path].timeout,
            Some(Duration::from_secs(7))
        );
        assert!(!config.api[endpoint.path].skip_auth);
    }
}

#[test]
fn authentication_can_be_skipped_on_five_paths() {
    let open = [
        "/version",
        "/v1/ready",
        "/v1/status",
        "/v1/metrics",
        "/v1/api",
    ];
    for endpoint in &ENDPOINTS {
        let path = endpoint.path;
        let api = format!("api: {{ {path}: {{ skip_auth: true }} }}");
        if open.contains(&path) {
            assert!(settings(&api).client_certificate_optional());
        } else {
            assert_eq!(
                refusal(&complete(&api)),
                format!("invalid api config: authentication cannot be disabled for API '{path}'")
            );
        }
        settings(&format!("api: {{ {path}: {{ skip_auth: false }} }}"));
    }
}

#[test]
fn unknown_paths_have_no_effect() {
    let api = "api: { /v1/key/create: { skip_auth: true }, /foo: { timeout: 1s } }";
    let config = settings(api);
    assert!(config.api.is_empty());
    assert!(!config.client_certificate_optional());
    assert_eq!(
        warnings(&complete(api)),
        [
            "kes.yml:4:8: api./v1/key/create: unknown API path, ignored; \
             did you mean '/v1/key/create/'?",
            "kes.yml:4:45: api./foo: unknown API path, ignored",
        ]
    );
}

#[test]
fn timeouts() {
    for (timeout, expected) in [("0s", None), ("0", None), ("1m", Some(60))] {
        let config = settings(&format!("api: {{ /v1/status: {{ timeout: {timeout} }} }}"));
        let expected = expected.map(Duration::from_secs);
        assert_eq!(config.api["/v1/status"].timeout, expected);
    }
    for path in ["/v1/status", "/unknown"] {
        let text = complete(&format!("api: {{ {path}: {{ timeout: -1s }} }}"));
        assert_eq!(
            refusal(&text),
            format!("invalid timeout '-1s' for API '{path}'")
        );
    }
}
