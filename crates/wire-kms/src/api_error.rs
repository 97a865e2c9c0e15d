use std::borrow::Cow;

use http::StatusCode;
use prost::Message;
use serde::Deserialize;

use crate::{Error, message::ErrResponse};

/// The `Content-Type` of answers in protobuf.
pub const CONTENT_TYPE_PROTOBUF: &str = "application/octet-stream";

/// The `Content-Type` of answers in JSON, compared as a whole by clients.
pub const CONTENT_TYPE_JSON: &str = "application/json";

/// The longest body of an error that is looked at, in bytes.
const MAX_BODY: usize = 5000;

/// The error answer of a server: a status and the text that clients compare with
/// (MinIO KMS protocol, section 7).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// The HTTP status, never 200.
    pub status: StatusCode,
    /// The text.
    pub message: Cow<'static, str>,
}

#[derive(Deserialize)]
struct Document {
    message: String,
}

// === impl ApiError ===

impl ApiError {
    /// 403: the identity may not do this.
    pub const NOT_ALLOWED: Self = Self::fixed(
        StatusCode::FORBIDDEN,
        "access denied: insufficient permissions",
    );
    /// 400: ciphertext, associated data and key do not belong together.
    pub const INVALID_CIPHERTEXT: Self = Self::fixed(StatusCode::BAD_REQUEST, "invalid ciphertext");
    /// 404: there is no enclave of this name.
    pub const ENCLAVE_NOT_FOUND: Self =
        Self::fixed(StatusCode::NOT_FOUND, "enclave does not exist");
    /// 409: there is an enclave of this name already.
    pub const ENCLAVE_EXISTS: Self = Self::fixed(StatusCode::CONFLICT, "enclave already exists");
    /// 404: there is no key of this name, or not in this version.
    pub const KEY_NOT_FOUND: Self = Self::fixed(StatusCode::NOT_FOUND, "key does not exist");
    /// 409: there is a key of this name already.
    pub const KEY_EXISTS: Self = Self::fixed(StatusCode::CONFLICT, "key already exists");
    /// 404: there is no policy of this name.
    pub const POLICY_NOT_FOUND: Self = Self::fixed(StatusCode::NOT_FOUND, "policy does not exist");
    /// 404: the identity is not registered in the enclave.
    pub const IDENTITY_NOT_FOUND: Self =
        Self::fixed(StatusCode::NOT_FOUND, "identity does not exist");
    /// 404: no HSM of this name is configured or holds an entry.
    pub const HSM_NOT_FOUND: Self = Self::fixed(StatusCode::NOT_FOUND, "hsm does not exist");
    /// 409: the HSM holds an entry already.
    pub const HSM_EXISTS: Self = Self::fixed(StatusCode::CONFLICT, "hsm already exists");
    /// 409: without this entry nothing could open the state again.
    pub const LAST_HSM: Self =
        Self::fixed(StatusCode::CONFLICT, "cannot remove the last usable hsm");
    /// 404: the node is no member.
    pub const NODE_NOT_FOUND: Self = Self::fixed(StatusCode::NOT_FOUND, "node does not exist");
    /// 409: the node is a member already.
    pub const NODE_EXISTS: Self = Self::fixed(StatusCode::CONFLICT, "node already exists");
    /// 400: a change of the state beside another command.
    pub const MIXED_COMMANDS: Self = Self::fixed(
        StatusCode::BAD_REQUEST,
        "a state change must be the only command of its request",
    );
    /// 400: a key ring has all the versions it may have.
    pub const TOO_MANY_VERSIONS: Self =
        Self::fixed(StatusCode::BAD_REQUEST, "too many key versions");
    /// 400: an imported key of another length than 32 bytes.
    pub const INVALID_KEY_LENGTH: Self = Self::fixed(StatusCode::BAD_REQUEST, "invalid key length");
    /// 400: a pattern of a policy that is not taken.
    pub const INVALID_PATTERN: Self = Self::fixed(StatusCode::BAD_REQUEST, "invalid pattern");
    /// 413: a body or one of its parts over its limit.
    pub const TOO_LARGE: Self = Self::fixed(StatusCode::PAYLOAD_TOO_LARGE, "request is too large");

    /// An error with a text of its own.
    #[must_use]
    pub fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    const fn fixed(status: StatusCode, message: &'static str) -> Self {
        Self {
            status,
            message: Cow::Borrowed(message),
        }
    }

    /// Reads the answer of a server. A body of an unknown type is the text itself.
    #[must_use]
    pub fn decode(status: StatusCode, content_type: Option<&str>, body: &[u8]) -> Self {
        let body = body.get(..MAX_BODY).unwrap_or(body);
        let message = match content_type {
            Some(CONTENT_TYPE_PROTOBUF) => ErrResponse::decode(body).ok().map(|it| it.message),
            Some(CONTENT_TYPE_JSON) => serde_json::from_slice(body)
                .ok()
                .map(|it: Document| it.message),
            _ => None,
        };
        let message = message.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
        Self::new(status, message)
    }

    /// The body in protobuf, for [`CONTENT_TYPE_PROTOBUF`].
    #[must_use]
    pub fn to_protobuf(&self) -> Vec<u8> {
        let document = ErrResponse {
            message: self.message.clone().into_owned(),
        };
        document.encode_to_vec()
    }

    /// The body in JSON, for [`CONTENT_TYPE_JSON`].
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::json!({ "message": self.message }).to_string()
    }
}

/// What cannot be read is the client's fault.
impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let status = match error {
            Error::TooManyFrames => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}
