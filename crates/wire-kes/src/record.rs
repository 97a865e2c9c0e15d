use std::net::IpAddr;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::document;

/// One event of the audit log stream (KES protocol, section 8.1).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AuditRecord {
    /// When the request arrived.
    pub time: Timestamp,
    /// The request.
    pub request: AuditRequest,
    /// The answer.
    pub response: AuditResponse,
}

/// The request of an [`AuditRecord`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AuditRequest {
    /// The address of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// The percent-decoded path.
    #[serde(default)]
    pub path: String,
    /// The identity of the client, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

/// The answer of an [`AuditRecord`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AuditResponse {
    /// The HTTP status.
    pub code: u16,
    /// How long the answer took, in nanoseconds (decision D25).
    #[serde(default)]
    pub time: u64,
}

/// One event of the error log stream (KES protocol, section 8.2).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ErrorRecord {
    /// A log line without its newline.
    pub message: String,
}

// === impl AuditRecord ===

impl AuditRecord {
    /// Writes the record and a newline.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        document::line(self)
    }
}

// === impl ErrorRecord ===

impl ErrorRecord {
    /// Writes the record and a newline.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        document::line(self)
    }
}
