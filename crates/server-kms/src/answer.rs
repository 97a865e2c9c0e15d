use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use hyper::body::Body as _;
use keystead_http::Body;
use keystead_wire_kms::{ApiError, CONTENT_TYPE_JSON, CONTENT_TYPE_PROTOBUF, FrameWriter};
use prost::Message;
use serde_json::to_vec;

use crate::failure::Failure;

pub(crate) const PROTOBUF: HeaderValue = HeaderValue::from_static(CONTENT_TYPE_PROTOBUF);
const JSON: HeaderValue = HeaderValue::from_static(CONTENT_TYPE_JSON);

/// What official clients accept where JSON and protobuf will do.
const ANY_APPLICATION: &str = "application/*";

/// What an operation ends with.
pub(crate) type Answer = Result<Response<Body>, Failure>;

/// Success without data. Over HTTP/2 the length would be left out.
pub(crate) fn empty() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response
        .headers_mut()
        .insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

/// The answers to commands, wiped when they have been sent.
pub(crate) fn frames(frames: FrameWriter) -> Response<Body> {
    with_type(PROTOBUF, Bytes::from_owner(frames.into_body()))
}

/// A document, in JSON for people and their tools. Official clients, which accept any
/// application data, get protobuf: the older ones do not read JSON with members that are
/// newer than they are.
pub(crate) fn document(message: &(impl Message + serde::Serialize), accept: &HeaderMap) -> Answer {
    if accepts(accept, &[CONTENT_TYPE_PROTOBUF, ANY_APPLICATION]) {
        return Ok(with_type(PROTOBUF, message.encode_to_vec()));
    }
    let json = to_vec(message)
        .map_err(|error| Failure::internal("the answer cannot be written", error))?;
    Ok(with_type(JSON, json))
}

/// An error as the client compares it.
pub(crate) fn error(error: &ApiError, accept: &HeaderMap) -> Response<Body> {
    let mut response = if accepts(accept, &[CONTENT_TYPE_PROTOBUF]) {
        with_type(PROTOBUF, error.to_protobuf())
    } else {
        with_type(JSON, error.to_json())
    };
    *response.status_mut() = error.status;
    response
}

/// 405 with the methods there are.
pub(crate) fn wrong_method(allowed: &'static str, accept: &HeaderMap) -> Response<Body> {
    let message = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method is not allowed");
    let mut response = error(&message, accept);
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// Success with data whose length is known.
pub(crate) fn with_type(content_type: HeaderValue, content: impl Into<Bytes>) -> Response<Body> {
    let body = Body::full(content);
    let length = body.size_hint().exact().unwrap_or_default();
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CONTENT_LENGTH, length.into());
    response
}

/// Success with data that is produced while it is sent.
pub(crate) fn stream(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, PROTOBUF);
    response
}

/// Whether a client names one of these media ranges.
fn accepts(headers: &HeaderMap, ranges: &[&str]) -> bool {
    let mut accepted = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim());
    accepted.any(|range| {
        ranges
            .iter()
            .any(|wanted| range.eq_ignore_ascii_case(wanted))
    })
}
