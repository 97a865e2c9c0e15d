use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

/// What a service makes of a request.
pub(super) type Answer = Result<Response<Bytes>, Failure>;

/// An answer without success.
pub(super) struct Failure(Box<Response<Bytes>>);

// === impl Failure ===

impl Failure {
    /// An error of Key Vault.
    pub(super) fn vault(status: u16, code: &str, message: &str, inner: Option<&str>) -> Self {
        let mut error = json!({ "code": code, "message": message });
        if let (Some(inner), Some(error)) = (inner, error.as_object_mut()) {
            error.insert("innererror".into(), json!({ "code": inner }));
        }
        Self(respond(status, &json!({ "error": error })).into())
    }

    pub(super) fn bad_parameter(message: &str) -> Self {
        Self::vault(400, "BadParameter", message, None)
    }

    pub(super) fn not_found(name: &str) -> Self {
        let message = format!(
            "A secret with (name/id) {name} was not found in this key vault. If you recently \
             deleted this secret you may be able to recover it using the correct recovery command."
        );
        Self::vault(404, "SecretNotFound", &message, None)
    }

    pub(super) fn conflict(inner: &str, message: &str) -> Self {
        Self::vault(409, "Conflict", message, Some(inner))
    }

    pub(super) fn forbidden(inner: &str, message: &str) -> Self {
        Self::vault(403, "Forbidden", message, Some(inner))
    }

    /// An error of a token service.
    pub(super) fn token(status: u16, error: &str, code: u32, description: &str) -> Self {
        // The line breaks are real.
        let description = format!(
            "AADSTS{code}: {description}\r\nTrace ID: 0f5c3a4e-0000-4000-8000-000000000001\r\n\
             Correlation ID: 9f5c3a4e-0000-4000-8000-000000000002\r\n\
             Timestamp: 2026-01-01 00:00:00Z"
        );
        let document = json!({
                "error": error,
                "error_description": description,
                "error_codes": [code],
                "timestamp": "2026-01-01 00:00:00Z",
                "trace_id": "0f5c3a4e-0000-4000-8000-000000000001",
                "correlation_id": "9f5c3a4e-0000-4000-8000-000000000002",
        });
        Self(respond(status, &document).into())
    }

    /// An error of the instance metadata service.
    pub(super) fn metadata(status: u16, error: &str, description: &str) -> Self {
        let document = json!({ "error": error, "error_description": description });
        Self(respond(status, &document).into())
    }

    pub(super) fn with(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers_mut().insert(name, value);
        }
        self
    }

    pub(super) fn response(self) -> Response<Bytes> {
        *self.0
    }
}

pub(super) fn respond(status: u16, document: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(document.to_string()));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    response
}

pub(super) fn no_content() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
