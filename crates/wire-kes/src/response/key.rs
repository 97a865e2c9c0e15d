use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{document, time};

/// What a server tells about a key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DescribeKey {
    /// The name of the key.
    pub name: String,
    /// The cipher, `AES256` or `ChaCha20`. Reading turns the long names of older
    /// releases into these; a field that is missing means AES256.
    #[serde(default = "aes256", deserialize_with = "short_algorithm")]
    pub algorithm: String,
    /// When the key was made, if known.
    #[serde(default, with = "time")]
    pub created_at: Option<Timestamp>,
    /// Who made the key; empty if unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub created_by: String,
}

fn aes256() -> String {
    "AES256".to_owned()
}

fn short_algorithm<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    Ok(match name.as_str() {
        "" | "AES256-GCM_SHA256" => aes256(),
        "XCHACHA20-POLY1305" => "ChaCha20".to_owned(),
        _ => name,
    })
}

// === impl DescribeKey ===

impl DescribeKey {
    /// Writes the body.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        document::line(self)
    }
}
