//! Answers that need no API: the texts of Go's HTTP server, which clients know.

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS};
use http::{Method, Response, StatusCode};
use keystead_wire_kes::UNKNOWN_PATH_BODY;

use crate::Body;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// The answer to a path that leads nowhere (KES protocol, section 3.2).
pub fn not_found() -> Response<Body> {
    answer(
        StatusCode::NOT_FOUND,
        [(CONTENT_TYPE, TEXT), (X_CONTENT_TYPE_OPTIONS, NOSNIFF)],
        Body::full(UNKNOWN_PATH_BODY),
    )
}

/// The answer to a path that is not percent-encoded text.
pub fn bad_request() -> Response<Body> {
    answer(
        StatusCode::BAD_REQUEST,
        [(CONTENT_TYPE, TEXT)],
        Body::full("400 Bad Request"),
    )
}

/// The 301 answer to a path that has to be written as `path`; the query is kept.
pub fn redirect(method: &Method, path: &str, query: Option<&str>) -> Response<Body> {
    let location = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let Ok(value) = HeaderValue::from_str(&location) else {
        return bad_request();
    };
    let body = if *method == Method::GET {
        let link = location
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&#34;")
            .replace('\'', "&#39;");
        Body::full(format!("<a href=\"{link}\">Moved Permanently</a>.\n\n"))
    } else {
        Body::empty()
    };
    answer(
        StatusCode::MOVED_PERMANENTLY,
        [(LOCATION, value), (CONTENT_TYPE, HTML)],
        body,
    )
}

fn answer(
    status: StatusCode,
    headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    body: Body,
) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().extend(headers);
    response
}
