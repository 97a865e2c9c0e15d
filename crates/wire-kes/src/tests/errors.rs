//! Error answers, written and read.

use http::{Method, StatusCode};
use proptest::prelude::*;

use crate::{ApiError, Subject};

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

proptest! {
    #[test]
    fn errors_survive_the_way_to_the_client(text in any::<String>()) {
        let error = ApiError::unsupported_algorithm(&text);
        let decoded = ApiError::decode(error.status, Some("application/json"), &error.body());
        prop_assert_eq!(decoded, error);
    }
}
