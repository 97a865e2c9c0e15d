use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::identity::is_false;
use crate::{Endpoint, document};

/// The version of a server.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Version {
    /// The time of the build's commit with `:` replaced by `-`, or `<unknown>`.
    pub version: String,
    /// The id of the commit, or `<unknown>`.
    #[serde(default)]
    pub commit: String,
}

/// The state of a server and its key store.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Status {
    /// As in [`Version`].
    pub version: String,
    /// The operating system, such as `linux`.
    #[serde(default)]
    pub os: String,
    /// The processor architecture, such as `amd64`.
    #[serde(default)]
    pub arch: String,
    /// Time since the start: seconds, and nanoseconds from servers up to 2023-10-03.
    #[serde(default)]
    pub uptime: u64,
    /// The processors of the machine.
    #[serde(default)]
    pub num_cpu: u32,
    /// The processors that the server may use.
    #[serde(default)]
    pub num_cpu_used: u32,
    /// Bytes of heap in use.
    #[serde(default)]
    pub mem_heap_used: u64,
    /// Bytes of stack in use.
    #[serde(default)]
    pub mem_stack_used: u64,
    /// How long the key store took to answer, in milliseconds, at least 1; `None` if
    /// it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keystore_latency: Option<u64>,
    /// Whether the key store cannot be reached.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keystore_unreachable: bool,
    /// Whether the key store answers with errors; never set by servers since
    /// 2023-11-09.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keystore_unavailable: bool,
    /// Since when the key store counts as offline, so that nothing but cached keys can
    /// be used. Other servers than ours do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serving_from_cache_since: Option<Timestamp>,
}

/// The endpoints of a server.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ApiList {
    /// The endpoints, in no particular order.
    pub apis: Vec<ApiInfo>,
}

/// One endpoint of a server.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ApiInfo {
    /// The method.
    pub method: String,
    /// The path as in [`Endpoint::path`].
    pub path: String,
    /// The largest body in bytes.
    #[serde(default)]
    pub max_body: u64,
    /// Time for the answer in whole seconds; 0 for none.
    #[serde(default)]
    pub timeout: u64,
}

// === impl Version ===

impl Version {
    /// Writes the body.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        document::line(self)
    }
}

// === impl Status ===

impl Status {
    /// Writes the body.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        document::line(self)
    }
}

// === impl ApiList ===

impl ApiList {
    /// Writes the body.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        document::line(self)
    }
}

// === impl ApiInfo ===

impl From<&Endpoint> for ApiInfo {
    fn from(endpoint: &Endpoint) -> Self {
        Self {
            method: endpoint.method.to_string(),
            path: endpoint.path.to_owned(),
            max_body: u64::try_from(endpoint.max_body).unwrap_or(u64::MAX),
            timeout: endpoint.timeout.as_secs(),
        }
    }
}
