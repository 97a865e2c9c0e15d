//! The golden vectors of names, list patterns, continuations and error answers.

use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{ApiError, ListPattern, Name, NamePage};

#[derive(Deserialize)]
struct Texts {
    valid: Vec<String>,
    invalid: Vec<String>,
}

#[derive(Deserialize)]
struct Continuation {
    pattern: String,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    result: Vec<String>,
    status: Option<u16>,
}

#[derive(Deserialize)]
struct ErrorBody {
    status: u16,
    message: String,
    body: String,
    content_length: usize,
}

#[test]
fn names() {
    let texts: Texts = section("names");
    count("names", texts.valid.len() + texts.invalid.len());
    for text in texts.valid {
        assert_eq!(Name::parse(&*text).unwrap().as_str(), text);
    }
    for text in texts.invalid {
        assert!(Name::parse(&*text).is_err(), "{text}");
    }
}

#[test]
fn list_patterns() {
    let texts: Texts = section("list_patterns");
    count("list_patterns", texts.valid.len() + texts.invalid.len());
    for text in texts.valid {
        let pattern = ListPattern::parse(&text).unwrap();
        assert_eq!(pattern.prefix(), text.trim_end_matches('*'));
        assert_eq!(ListPattern::parse_plain(&text), Ok(pattern));
    }
    for text in texts.invalid {
        assert!(ListPattern::parse(&text).is_err(), "{text}");
        assert!(ListPattern::parse_plain(&text).is_err(), "{text}");
    }
}

#[test]
fn list_continuation() {
    let cases: Vec<Continuation> = section("list_continuation");
    count("list_continuation", cases.len());
    for case in cases {
        let parsed = ListPattern::parse(&case.pattern);
        assert_eq!(parsed.is_err(), case.status.is_some(), "{}", case.pattern);
        assert!(ListPattern::parse_plain(&case.pattern).is_err());
        if let Ok(pattern) = parsed {
            let page = NamePage::of_keys(&pattern, case.names);
            assert_eq!(page.names, case.result, "{}", case.pattern);
            assert_eq!(page.continue_at, None);
        } else {
            let error = ApiError::invalid_pattern(&case.pattern);
            assert_eq!(Some(error.status.as_u16()), case.status);
        }
    }
}

#[test]
fn error_bodies() {
    let cases: Vec<ErrorBody> = section("error_bodies");
    count("error_bodies", cases.len());
    let known = [
        ApiError::NOT_ALLOWED,
        ApiError::KEY_NOT_FOUND,
        ApiError::KEY_EXISTS,
        ApiError::NOT_AUTHENTIC,
        ApiError::POLICY_NOT_FOUND,
        ApiError::IDENTITY_NOT_FOUND,
        ApiError::NO_HMAC_KEY,
    ];
    assert_eq!(cases.len(), known.len());
    for (case, error) in cases.into_iter().zip(known) {
        assert_eq!(error.status.as_u16(), case.status);
        assert_eq!(error.message, case.message);
        assert_eq!(error.body(), case.body);
        assert_eq!(error.body().len(), case.content_length);
        let status = StatusCode::from_u16(case.status).unwrap();
        let decoded = ApiError::decode(status, Some("application/json"), case.body.as_bytes());
        assert_eq!(decoded, error);
    }
}

fn section<T: DeserializeOwned>(name: &str) -> T {
    let mut sections: serde_json::Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/kes.json")).unwrap();
    serde_json::from_value(sections[name].take()).unwrap()
}

fn count(section: &str, vectors: usize) {
    println!("vectors: {section}: {vectors}");
    assert_ne!(vectors, 0);
}
