use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

/// An error of the API.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// The text in `error`.
    pub message: String,
}

/// An answer without success.
pub(super) enum Failure {
    Refused(Refusal),
    /// How the appliance answers what the account may not do, and what it does not know.
    Denied,
    /// Not from the API at all.
    Page(StatusCode),
}

// === impl Refusal ===

impl Refusal {
    /// An error of the API.
    #[must_use]
    pub fn new(status: u16, message: &str) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            message: message.to_owned(),
        }
    }
}

// === impl Failure ===

impl Failure {
    pub(super) fn refused(status: u16, message: &str) -> Self {
        Self::Refused(Refusal::new(status, message))
    }

    pub(super) fn response(self) -> Response<Bytes> {
        match self {
            Self::Refused(Refusal { status, message }) => {
                json_response(status, &json!({ "error": message }))
            }
            Self::Denied => respond(StatusCode::NOT_FOUND, None, String::new()),
            Self::Page(status) => {
                let page = format!("<html><body><h1>{status}</h1></body></html>");
                respond(status, Some("text/html"), page)
            }
        }
    }
}

pub(super) fn json_response(status: StatusCode, document: &Value) -> Response<Bytes> {
    let kind = Some("application/json; charset=utf-8");
    respond(status, kind, document.to_string())
}

fn respond(status: StatusCode, kind: Option<&'static str>, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    if let Some(kind) = kind {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    response
}
