use http::{Method, Response};
use http_body_util::BodyExt;

use crate::{Body, HttpError, bad_request, not_found, redirect};

/// Status, headers as `name: value`, and body of a response.
async fn parts(response: Response<Body>) -> (u16, Vec<String>, String) {
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
    let (status, headers) = (response.status().as_u16(), headers.collect());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn unknown_paths() {
    let (status, headers, body) = parts(not_found()).await;
    assert_eq!(status, 404);
    assert_eq!(
        headers,
        [
            "content-type: text/plain; charset=utf-8",
            "x-content-type-options: nosniff"
        ],
    );
    assert_eq!(body, "404 page not found\n");
}

#[tokio::test]
async fn malformed_paths() {
    assert_eq!(parts(bad_request()).await.0, 400);
}

#[tokio::test]
async fn moved_paths() {
    let (status, headers, body) = parts(redirect(&Method::GET, "/a", Some("b=\"<c>&d"))).await;
    assert_eq!(status, 301);
    assert_eq!(
        headers,
        [
            "location: /a?b=\"<c>&d",
            "content-type: text/html; charset=utf-8"
        ]
    );
    assert_eq!(
        body,
        "<a href=\"/a?b=&#34;&lt;c&gt;&amp;d\">Moved Permanently</a>.\n\n"
    );

    let (status, headers, body) = parts(redirect(&Method::POST, "/a", None)).await;
    assert_eq!((status, body.as_str()), (301, ""));
    assert_eq!(headers[0], "location: /a");
}

#[tokio::test]
async fn errors_keep_their_cause_to_themselves() {
    let error = HttpError::new(http::StatusCode::BAD_GATEWAY, "failed to read key")
        .because(std::io::Error::other("connection refused"));
    assert_eq!(
        error.to_string(),
        "502 failed to read key: connection refused"
    );
    let (status, headers, body) = parts(error.into_response()).await;
    assert_eq!(status, 502);
    assert_eq!(headers, ["content-type: application/json"]);
    assert_eq!(body, "{\"message\":\"failed to read key\"\n}");
}
