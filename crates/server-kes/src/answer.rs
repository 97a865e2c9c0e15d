use std::collections::BTreeSet;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response};
use keystead_http::{Body, HttpError};
use keystead_wire_kes::{ListPattern, NamePage, Subject};

/// What an operation ends with.
pub(crate) type Answer = Result<Response<Body>, HttpError>;

/// Success without data. Over HTTP/2 the length would be left out.
pub(crate) fn empty() -> Answer {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    Ok(response)
}

/// Success with a JSON document.
pub(crate) fn json(document: impl Into<Bytes>) -> Answer {
    with_type(
        HeaderValue::from_static(keystead_wire_kes::CONTENT_TYPE_JSON),
        Body::full(document),
    )
}

/// Success with data of another type.
pub(crate) fn with_type(content_type: HeaderValue, body: Body) -> Answer {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    Ok(response)
}

/// Success with those of `names` that a listing of `subject` asks for.
pub(crate) fn page<'a>(
    subject: Subject,
    pattern: &ListPattern,
    names: impl Iterator<Item = &'a str>,
) -> Answer {
    let names = names.filter(|name| pattern.matches(name));
    // Sorted, because clients see them in this order.
    let names: BTreeSet<&str> = names.collect();
    let page = NamePage {
        names: names.into_iter().map(str::to_owned).collect(),
        continue_at: None,
    };
    json(page.encode(subject))
}
