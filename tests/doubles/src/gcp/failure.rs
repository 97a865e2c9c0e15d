use bytes::Bytes;
use http::{Response, StatusCode, header};
use serde_json::{Value, json};

/// Why a request is refused.
pub(super) enum Failure {
    /// The error model of Google's APIs: status, code, message.
    Status(StatusCode, &'static str, String),
    /// An error of OAuth 2.0 (RFC 6749, section 5.2): error and description.
    OAuth(&'static str, &'static str),
    /// There is nothing under the path at all, or not for this method.
    NoSuchUrl,
}

// === impl Failure ===

impl Failure {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::Status(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message.into())
    }

    pub(super) fn precondition(message: impl Into<String>) -> Self {
        Self::Status(
            StatusCode::BAD_REQUEST,
            "FAILED_PRECONDITION",
            message.into(),
        )
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::Status(StatusCode::NOT_FOUND, "NOT_FOUND", message.into())
    }

    pub(super) fn exists(message: impl Into<String>) -> Self {
        Self::Status(StatusCode::CONFLICT, "ALREADY_EXISTS", message.into())
    }

    pub(super) fn denied(message: impl Into<String>) -> Self {
        Self::Status(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message.into())
    }

    pub(super) fn unauthenticated(message: impl Into<String>) -> Self {
        Self::Status(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message.into())
    }

    pub(super) fn response(self) -> Response<Bytes> {
        match self {
            Self::Status(status, code, message) => json(
                status,
                &json!({"error": {"code": status.as_u16(), "message": message, "status": code}}),
            ),
            Self::OAuth(error, description) => json(
                StatusCode::BAD_REQUEST,
                &json!({"error": error, "error_description": description}),
            ),
            Self::NoSuchUrl => {
                let page = "<!DOCTYPE html>\n<html lang=en><title>Error 404 (Not Found)!!1</title>";
                let mut response = Response::new(Bytes::from(page));
                *response.status_mut() = StatusCode::NOT_FOUND;
                let kind = header::HeaderValue::from_static("text/html; charset=UTF-8");
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
                response
            }
        }
    }
}

pub(super) fn json(status: StatusCode, document: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(document.to_string()));
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static("application/json; charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
