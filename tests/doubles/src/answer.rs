use std::collections::HashMap;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::Value;

pub(crate) fn json(status: StatusCode, document: &Value) -> Response<Bytes> {
    with_type(status, "application/json", document.to_string())
}

pub(crate) fn text(status: StatusCode, text: &str) -> Response<Bytes> {
    with_type(status, "text/plain; charset=utf-8", text.to_owned())
}

pub(crate) fn html(status: StatusCode, text: &str) -> Response<Bytes> {
    with_type(status, "text/html", text.to_owned())
}

pub(crate) fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

fn with_type(status: StatusCode, kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = empty(status);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    *response.body_mut() = body.into();
    response
}

/// The parameters of the query.
pub(crate) fn query(request: &Request<Bytes>) -> HashMap<String, String> {
    let query = request.uri().query().unwrap_or_default();
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// The body, if it is JSON and says so.
pub(crate) fn document(request: &Request<Bytes>) -> Option<Value> {
    let kind = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    if !kind.starts_with("application/json") {
        return None;
    }
    serde_json::from_slice(request.body()).ok()
}
