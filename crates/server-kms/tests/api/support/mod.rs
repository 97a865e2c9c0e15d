mod answer;
mod captured;
mod client;
pub(crate) mod world;

pub(crate) use answer::Answer;
pub(crate) use captured::Captured;
pub(crate) use client::{Client, Payload, Version};
pub(crate) use world::{Different, GOLDEN, GOLDEN_OTHER, World, id};

use data_encoding::HEXLOWER_PERMISSIVE;
use keystead_wire_kms::{Command, FrameWriter};
use prost::Message;
use serde_json::Value;

/// Both versions of HTTP.
pub(crate) const VERSIONS: [Version; 2] = [Version::Http1, Version::Http2];

/// One frame.
pub(crate) fn frame(command: Command, message: &impl Message) -> Vec<u8> {
    let mut writer = FrameWriter::new();
    writer.write(command, message);
    writer.into_body().to_vec()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).unwrap()
}

/// A section of the golden vectors, such as `decisions.mac`.
pub(crate) fn vectors(section: &str) -> Value {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/minkms.json"
    );
    let all: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let section = section
        .split('.')
        .fold(all, |mut all, name| all[name].take());
    assert!(!section.is_null());
    section
}
