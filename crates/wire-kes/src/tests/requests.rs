//! Request bodies as clients of seven years write them, and as none should.

use proptest::prelude::*;

use crate::{
    ApiError, BulkDecryptRequest, DecryptRequest, EncryptRequest, GenerateRequest, HmacRequest,
    ImportRequest, MAX_BULK_ITEMS,
};

fn context(body: &str) -> Result<Vec<u8>, ApiError> {
    GenerateRequest::decode(body.as_bytes()).map(|request| request.context)
}

fn import(body: &str) -> (Vec<u8>, String) {
    let request = ImportRequest::decode(body.as_bytes()).ok().unwrap();
    (request.key.to_vec(), request.cipher)
}

#[test]
fn tolerates_what_the_original_tolerates() {
    for (body, expected) in [
        (r#"{"context":"AAEC"}"#, &[0, 1, 2][..]),
        ("", &[]),
        ("{}", &[]),
        ("null", &[]),
        (r#"{"context":null}"#, &[]),
        (r#"{"context":""}"#, &[]),
        (r#" {"context":"AAEC"} trailing bytes }"#, &[0, 1, 2]),
        (r#"{"CONTEXT":"AAEC"}"#, &[0, 1, 2]),
        (r#"{"conte\u0078t":"AAEC"}"#, &[0, 1, 2]),
        (r#"{"context":"AA==","Context":"AAEC"}"#, &[0, 1, 2]),
        (r#"{"context":"AAEC","context":null}"#, &[]),
        (
            r#"{"version":"v1","x":{"y":[1,2,{}]},"context":"AAEC"}"#,
            &[0, 1, 2],
        ),
        (r#"{"context":"A\r\nA\nEC\r\n"}"#, &[0, 1, 2]),
        (r#"{"context":"AA=\n="}"#, &[0]),
        (r#"{"context":"AB=="}"#, &[0]),
        (r#"{"context":"\/\u002b=="}"#, &[0xff]),
        (r#"{"context":[0,1,255]}"#, &[0, 1, 255]),
        (r#"{"context":[7,null]}"#, &[7, 0]),
        (r#"{"context":[]}"#, &[]),
    ] {
        assert_eq!(context(body).as_deref(), Ok(expected), "{body}");
    }
}

#[test]
fn refuses_what_the_original_refuses() {
    for body in [
        " ",
        "{",
        "[]",
        "7",
        "\"AAEC\"",
        r#"{"context":7}"#,
        r#"{"context":true}"#,
        r#"{"context":{}}"#,
        r#"{"context":"AAE"}"#,
        r#"{"context":"AA"}"#,
        r#"{"context":"AA="}"#,
        r#"{"context":"AA==="}"#,
        r#"{"context":"AA==AA=="}"#,
        r#"{"context":"_-=="}"#,
        r#"{"context":"A AEC"}"#,
        r#"{"context":[256]}"#,
        r#"{"context":[-1]}"#,
        r#"{"context":[1.5]}"#,
        r#"{"context":["1"]}"#,
        r#"{"context":"AAEC""#,
        r#"{"context":"AAEC","#,
        r#"{"context":7,"context":"AAEC"}"#,
        r#"{context:"AAEC"}"#,
    ] {
        assert_eq!(context(body), Err(ApiError::INVALID_BODY), "{body}");
    }
}

#[test]
fn only_generate_may_be_empty() {
    assert!(EncryptRequest::decode(b"").is_err());
    assert!(DecryptRequest::decode(b"").is_err());
    assert!(BulkDecryptRequest::decode(b"").is_err());
    assert!(HmacRequest::decode(b"").is_err());
    assert_eq!(
        ImportRequest::decode(b"").err(),
        Some(ApiError::INVALID_IMPORT_BODY)
    );
}

#[test]
fn import_takes_the_names_of_all_releases() {
    for (body, cipher) in [
        (r#"{"key":"AQ==","cipher":"ChaCha20"}"#, "ChaCha20"),
        (r#"{"key":"AQ=="}"#, ""),
        (r#"{"key":"AQ==","cipher":""}"#, ""),
        (r#"{"key":"AQ==","algorithm":"ChaCha20"}"#, "ChaCha20"),
        (r#"{"bytes":"AQ=="}"#, "AES256"),
        (r#"{"bytes":"AQ==","cipher":""}"#, "AES256"),
        (r#"{"bytes":"AQ==","algorithm":null}"#, "AES256"),
        (
            r#"{"bytes":"AQ==","algorithm":"XCHACHA20-POLY1305"}"#,
            "XCHACHA20-POLY1305",
        ),
        (r#"{"bytes":"Ag==","key":"AQ==","cipher":"X"}"#, "X"),
        (r#"{"Bytes":"AQ==","Algorithm":"y","Cipher":"Z"}"#, "Z"),
        (r#"{"key":"AQ==","cipher":"Q","cipher":null}"#, "Q"),
    ] {
        assert_eq!(import(body), (vec![1], cipher.to_owned()), "{body}");
    }
    assert_eq!(import("null"), (vec![], String::new()));
    for body in [r#"{"cipher":7}"#, r#"{"key":"*"}"#, "[]"] {
        assert_eq!(
            ImportRequest::decode(body.as_bytes()).err(),
            Some(ApiError::INVALID_IMPORT_BODY),
            "{body}"
        );
    }
}

#[test]
fn bulk_decryption_is_limited() {
    let bulk = |items: usize| {
        let body = format!("[{}]", vec!["{}"; items].join(","));
        BulkDecryptRequest::decode(body.as_bytes()).map(|request| request.items.len())
    };
    assert_eq!(bulk(0), Ok(0));
    assert_eq!(bulk(MAX_BULK_ITEMS), Ok(MAX_BULK_ITEMS));
    assert_eq!(
        bulk(MAX_BULK_ITEMS + 1),
        Err(ApiError::TOO_MANY_CIPHERTEXTS)
    );
    assert_eq!(bulk(300_000), Err(ApiError::TOO_MANY_CIPHERTEXTS));
    assert_eq!(
        BulkDecryptRequest::decode(b"null").map(|request| request.items.len()),
        Ok(0)
    );
    assert_eq!(
        BulkDecryptRequest::decode(b"{}").err(),
        Some(ApiError::INVALID_BODY)
    );
}

#[test]
fn writes_what_clients_write() {
    assert_eq!(GenerateRequest::encode(b""), r#"{"context":""}"#);
    assert_eq!(
        EncryptRequest::encode(b"hello", b"{}"),
        r#"{"plaintext":"aGVsbG8=","context":"e30="}"#
    );
    assert_eq!(
        DecryptRequest::encode(b"hello", b""),
        r#"{"ciphertext":"aGVsbG8=","context":""}"#
    );
    assert_eq!(HmacRequest::encode(b"m"), r#"{"message":"bQ=="}"#);
    assert_eq!(
        ImportRequest::encode(&[0; 3], "A\"B"),
        r#"{"key":"AAAA","cipher":"A\"B"}"#
    );
    assert_eq!(BulkDecryptRequest::encode(&[]), "[]");
    assert_eq!(
        BulkDecryptRequest::encode(&[(b"m", b""), (b"", b"m")]),
        r#"[{"ciphertext":"bQ==","context":""},{"ciphertext":"","context":"bQ=="}]"#
    );
}

proptest! {
    #[test]
    fn reads_what_it_writes(a in any::<Vec<u8>>(), b in any::<Vec<u8>>()) {
        let request = EncryptRequest::decode(&EncryptRequest::encode(&a, &b)).ok().unwrap();
        prop_assert_eq!(&*request.plaintext, &a);
        prop_assert_eq!(&request.context, &b);
        let request = DecryptRequest::decode(&DecryptRequest::encode(&a, &b)).ok().unwrap();
        prop_assert_eq!(&request.ciphertext, &a);
        prop_assert_eq!(&request.context, &b);
        let body = BulkDecryptRequest::encode(&[(&a, &b), (&b, &a)]);
        let request = BulkDecryptRequest::decode(&body).ok().unwrap();
        prop_assert_eq!(&request.items[1].ciphertext, &b);
        let request = HmacRequest::decode(&HmacRequest::encode(&a)).ok().unwrap();
        prop_assert_eq!(&*request.message, &a);
    }

    #[test]
    fn survives_any_bytes(body in any::<Vec<u8>>()) {
        drop(GenerateRequest::decode(&body));
        drop(EncryptRequest::decode(&body));
        drop(DecryptRequest::decode(&body));
        drop(BulkDecryptRequest::decode(&body));
        drop(HmacRequest::decode(&body));
        drop(ImportRequest::decode(&body));
    }

    #[test]
    fn survives_any_text(name in "(?i)context|key|", value in r#"[\[\]{}",:0-9a-zA-Z=\\n-]*"#) {
        let body = format!(r#"{{"{name}":{value}}}"#);
        drop(GenerateRequest::decode(body.as_bytes()));
        drop(ImportRequest::decode(body.as_bytes()));
    }
}
