//! What KES servers and clients say to each other: encode and decode only.
//!
//! Requests are read as tolerantly as the servers of 2024 and 2025 read them,
//! because clients of seven years rely on it; responses are written exactly as those
//! servers write them (KES protocol, sections 3 to 6). Error answers are protocol,
//! too: clients compare status and text, so every text has its constructor in
//! [`ApiError`].
//!
//! Nothing here does I/O or holds a clock. Buffers that carry plaintext or key
//! material are wiped when they are dropped.

mod api_error;
mod base64;
mod document;
mod endpoint;
mod error;
mod fields;
mod list_pattern;
mod name;
mod name_page;
mod object;
mod record;
mod request;
mod response;
#[cfg(test)]
mod tests;
mod time;

pub use api_error::{ApiError, UNKNOWN_PATH_BODY};
pub use document::{CONTENT_TYPE_JSON, CONTENT_TYPE_NDJSON};
pub use endpoint::{Api, Auth, ENDPOINTS, Endpoint};
pub use error::Error;
pub use list_pattern::ListPattern;
pub use name::{Name, Subject};
pub use name_page::NamePage;
pub use record::{AuditRecord, AuditRequest, AuditResponse, ErrorRecord};
pub use request::{
    BulkDecryptRequest, DecryptRequest, EncryptRequest, GenerateRequest, HmacRequest,
    ImportRequest, MAX_BULK_ITEMS,
};
pub use response::{
    ApiInfo, ApiList, BulkDecryptResponse, DecryptResponse, DescribeIdentity, DescribeKey,
    DescribePolicy, DescribeSelf, EncryptResponse, GenerateResponse, HmacResponse, ReadPolicy,
    Rules, Status, Version, decode_response,
};
