use std::borrow::Cow;
use std::fmt::Display;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserialize;

use crate::{CONTENT_TYPE_JSON, Subject, document};

/// The body of the 404 answer to a path that no endpoint serves; its `Content-Type`
/// is `text/plain; charset=utf-8`.
pub const UNKNOWN_PATH_BODY: &str = "404 page not found\n";

/// The error answer of a server: a status and the text that clients compare with.
///
/// All texts are those of KES protocol, section 3.5.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// The HTTP status, 400 or above.
    pub status: StatusCode,
    /// The text of the `message` field.
    pub message: Cow<'static, str>,
}

// === impl ApiError ===

impl ApiError {
    /// 403: no rule lets the identity do this.
    pub const NOT_ALLOWED: Self = Self::fixed(
        StatusCode::FORBIDDEN,
        "not authorized: insufficient permissions",
    );
    /// 404: there is no key of this name.
    pub const KEY_NOT_FOUND: Self = Self::fixed(StatusCode::NOT_FOUND, "key does not exist");
    /// 400: there is a key of this name already.
    pub const KEY_EXISTS: Self = Self::fixed(StatusCode::BAD_REQUEST, "key already exists");
    /// 400: ciphertext, context and key do not belong together.
    pub const NOT_AUTHENTIC: Self = Self::fixed(
        StatusCode::BAD_REQUEST,
        "decryption failed: ciphertext is not authentic",
    );
    /// 404: there is no policy of this name.
    pub const POLICY_NOT_FOUND: Self = Self::fixed(StatusCode::NOT_FOUND, "policy does not exist");
    /// 404: the identity is neither admin nor member of a policy.
    pub const IDENTITY_NOT_FOUND: Self =
        Self::fixed(StatusCode::NOT_FOUND, "identity does not exist");

    /// 400: the request came over a connection without TLS.
    pub const TLS_REQUIRED: Self = Self::fixed(
        StatusCode::BAD_REQUEST,
        "insecure connection: TLS is required",
    );
    /// 400: the client sent no certificate.
    pub const CERTIFICATE_REQUIRED: Self = Self::fixed(
        StatusCode::BAD_REQUEST,
        "tls: client certificate is required",
    );
    /// 400: the client sent a second certificate that is no CA certificate.
    pub const TOO_MANY_CERTIFICATES: Self = Self::fixed(
        StatusCode::BAD_REQUEST,
        "tls: received more than one client certificate",
    );
    /// 400: a TLS proxy forwarded no certificate.
    pub const PROXY_NO_CERTIFICATE: Self =
        Self::fixed(StatusCode::BAD_REQUEST, "no client certificate is present");
    /// 400: a TLS proxy forwarded more than one certificate.
    pub const PROXY_TOO_MANY_CERTIFICATES: Self = Self::fixed(
        StatusCode::BAD_REQUEST,
        "too many client certificates are present",
    );
    /// 400: a TLS proxy forwarded something that is no certificate.
    pub const PROXY_INVALID_CERTIFICATE: Self =
        Self::fixed(StatusCode::BAD_REQUEST, "invalid client certificate");
    /// 403 without text: a forwarded certificate does not verify.
    pub const PROXY_UNVERIFIED_CERTIFICATE: Self = Self::fixed(StatusCode::FORBIDDEN, "");

    /// 400: the body of generate, encrypt, decrypt or hmac is broken or too large.
    pub const INVALID_BODY: Self = Self::fixed(StatusCode::BAD_REQUEST, "invalid request body");
    /// 400: the body of import is broken or too large.
    pub const INVALID_IMPORT_BODY: Self =
        Self::fixed(StatusCode::BAD_REQUEST, "invalid import key request body");
    /// 400: a bulk decryption of more than [`MAX_BULK_ITEMS`](crate::MAX_BULK_ITEMS).
    pub const TOO_MANY_CIPHERTEXTS: Self =
        Self::fixed(StatusCode::BAD_REQUEST, "too many ciphertexts");
    /// 409: the key was stored by a release that knew no HMAC keys.
    pub const NO_HMAC_KEY: Self = Self::fixed(StatusCode::CONFLICT, "key does not support HMAC");

    /// 500: no key could be made.
    pub const GENERATE_KEY_FAILED: Self = Self::fixed(
        StatusCode::INTERNAL_SERVER_ERROR,
        "failed to generate encryption key",
    );
    /// 500: a new key could not be encoded.
    pub const ENCODE_KEY_FAILED: Self =
        Self::fixed(StatusCode::INTERNAL_SERVER_ERROR, "failed to create key");
    /// 500: encryption failed.
    pub const ENCRYPT_FAILED: Self = Self::fixed(
        StatusCode::INTERNAL_SERVER_ERROR,
        "failed to encrypt plaintext",
    );
    /// 500: decryption failed for another reason than the ciphertext.
    pub const DECRYPT_FAILED: Self = Self::fixed(
        StatusCode::INTERNAL_SERVER_ERROR,
        "failed to decrypt ciphertext",
    );
    /// 500: the server does not know its version.
    pub const VERSION_FAILED: Self = Self::fixed(
        StatusCode::INTERNAL_SERVER_ERROR,
        "failed to read server version",
    );

    /// 502: the key store did not take a new key.
    pub const CREATE_KEY_FAILED: Self =
        Self::fixed(StatusCode::BAD_GATEWAY, "failed to create key");
    /// 502: the key store did not give the key, or gave something that is no key.
    pub const READ_KEY_FAILED: Self = Self::fixed(StatusCode::BAD_GATEWAY, "failed to read key");
    /// 502: the key store did not delete the key.
    pub const DELETE_KEY_FAILED: Self =
        Self::fixed(StatusCode::BAD_GATEWAY, "failed to delete key");
    /// 502: the key store did not list its keys.
    pub const LIST_KEYS_FAILED: Self = Self::fixed(StatusCode::BAD_GATEWAY, "failed to list keys");
    /// 502: not ready, the key store answers with errors.
    pub const KEY_STORE_UNAVAILABLE: Self =
        Self::fixed(StatusCode::BAD_GATEWAY, "key store is unavailable");
    /// 504: not ready, the key store does not answer.
    pub const KEY_STORE_UNREACHABLE: Self =
        Self::fixed(StatusCode::GATEWAY_TIMEOUT, "key store is not reachable");

    const HISTORIC_NOT_ALLOWED: Self = Self::fixed(StatusCode::FORBIDDEN, "prohibited by policy");
    const HISTORIC_KEY_EXISTS: Self =
        Self::fixed(StatusCode::BAD_REQUEST, "key does already exist");

    /// An error with a text of its own.
    #[must_use]
    pub const fn fixed(status: StatusCode, message: &'static str) -> Self {
        Self {
            status,
            message: Cow::Borrowed(message),
        }
    }

    /// 400: the last segment of the path is no name.
    #[must_use]
    pub fn invalid_name(subject: Subject, name: &str) -> Self {
        Self::formatted(
            StatusCode::BAD_REQUEST,
            format!("{subject} '{name}' is empty, too long or contains invalid characters"),
        )
    }

    /// 400: the last segment of the path is no list pattern.
    #[must_use]
    pub fn invalid_pattern(pattern: &str) -> Self {
        Self::formatted(
            StatusCode::BAD_REQUEST,
            format!("listing pattern '{pattern}' is empty, too long or is invalid"),
        )
    }

    /// 405: the endpoint wants another method, which also goes into the `Accept`
    /// header of the answer.
    #[must_use]
    pub fn method_not_allowed(received: &Method, expected: &Method) -> Self {
        Self::formatted(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("received method '{received}' expected '{expected}'"),
        )
    }

    /// 406: import of a key for an unknown cipher.
    #[must_use]
    pub fn unsupported_algorithm(algorithm: &str) -> Self {
        Self::formatted(
            StatusCode::NOT_ACCEPTABLE,
            format!("algorithm '{algorithm}' is not supported"),
        )
    }

    /// 406: import of a key for a cipher that FIPS 140 does not allow.
    #[must_use]
    pub fn algorithm_not_in_fips(algorithm: impl Display) -> Self {
        Self::formatted(
            StatusCode::NOT_ACCEPTABLE,
            format!("algorithm '{algorithm}' not supported by FIPS 140-2"),
        )
    }

    /// 406: import of a key that is not 32 bytes long.
    #[must_use]
    pub fn invalid_key_size(algorithm: impl Display) -> Self {
        Self::formatted(
            StatusCode::NOT_ACCEPTABLE,
            format!("invalid key size for '{algorithm}'"),
        )
    }

    /// The error as servers up to v0.17 would say it, for clients of 2021 that know
    /// no other text (decision D41). Two errors had other texts; the rest is
    /// unchanged.
    #[must_use]
    pub fn historic(self) -> Self {
        if self == Self::NOT_ALLOWED {
            Self::HISTORIC_NOT_ALLOWED
        } else if self == Self::KEY_EXISTS {
            Self::HISTORIC_KEY_EXISTS
        } else {
            self
        }
    }

    /// The body of the answer: `{"message":"…"`, a newline, `}`.
    #[must_use]
    pub fn body(&self) -> Bytes {
        let mut body = b"{\"message\":".to_vec();
        body.extend(document::json(&*self.message));
        body.extend(b"\n}");
        body.into()
    }

    /// Reads the error answer of a server of any release.
    ///
    /// `content_type` is the header's value. A JSON body has a `message` or an
    /// `error`, of which the latter wins; any other body is the message itself. The
    /// historic texts become the ones of today.
    #[must_use]
    pub fn decode(status: StatusCode, content_type: Option<&str>, body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default)]
            message: String,
            #[serde(default)]
            error: String,
        }

        let is_json = content_type.is_some_and(|value| value.starts_with(CONTENT_TYPE_JSON));
        let message = match serde_json::from_slice::<Body>(body) {
            Ok(body) if is_json && !body.error.is_empty() => body.error,
            Ok(body) if is_json => body.message,
            _ => String::from_utf8_lossy(body).trim_end().to_owned(),
        };
        let error = Self::formatted(status, message);
        if error == Self::HISTORIC_NOT_ALLOWED {
            Self::NOT_ALLOWED
        } else if error == Self::HISTORIC_KEY_EXISTS {
            Self::KEY_EXISTS
        } else {
            error
        }
    }

    fn formatted(status: StatusCode, message: String) -> Self {
        Self {
            status,
            message: Cow::Owned(message),
        }
    }
}
