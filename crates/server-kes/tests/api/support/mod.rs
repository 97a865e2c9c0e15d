mod captured;
mod client;
mod store;
pub(crate) mod world;

pub(crate) use captured::Captured;
pub(crate) use client::{Answer, Client, Payload, Version};
pub(crate) use store::{FaultStore, Health};
pub(crate) use world::{World, admin, member};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn unbase64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

/// One section of the golden vectors.
pub(crate) fn vectors(section: &str) -> Vec<Value> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/kes.json");
    let mut all: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let vectors = match all[section].take() {
        Value::Array(vectors) => vectors,
        single => vec![single],
    };
    println!("vectors: {section}: {}", vectors.len());
    assert!(!vectors.is_empty());
    vectors
}

/// A text field of a vector.
pub(crate) fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field].as_str().unwrap()
}
