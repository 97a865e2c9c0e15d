//! Generates the messages from `proto/minkms.proto`.
//!
//! The descriptions of the fields also give the JSON form: the names of the
//! protocol, and a writer for each type that JSON has no form for.

use std::error::Error;

use prost_build::Config;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet, MessageOptions};

/// Messages with key material or data of clients: wiped on drop, and not shown by
/// `Debug`.
const SECRET: [&str; 7] = [
    "BackupKeyVersion",
    "DecryptResponse",
    "EncryptRequest",
    "GenerateKeyResponse",
    "ImportKeyRequest",
    "MACRequest",
    "MACResponse",
];

/// Messages whose JSON form is written by hand.
const OWN_JSON: [&str; 3] = ["Rule", "RuleEntry", "RuleSet"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto/minkms.proto");
    let files = protox::compile(["proto/minkms.proto"], ["proto"])?;
    let mut config = Config::new();
    config.btree_map(["."]);
    config.skip_debug(SECRET.map(|name| format!(".minio.kms.{name}")));
    for message in messages(&files) {
        describe(&mut config, "", message);
    }
    config.compile_fds(files)?;
    Ok(())
}

fn messages(files: &FileDescriptorSet) -> impl Iterator<Item = &DescriptorProto> {
    files
        .file
        .iter()
        .filter(|file| file.package() == "minio.kms")
        .flat_map(|file| &file.message_type)
}

/// Adds the JSON form and the protection of one message and of those inside it.
fn describe(config: &mut Config, outer: &str, message: &DescriptorProto) {
    let is_map_entry = message
        .options
        .as_ref()
        .is_some_and(MessageOptions::map_entry);
    if is_map_entry || OWN_JSON.contains(&message.name()) {
        return;
    }
    let path = format!("{outer}{}", message.name());
    config.type_attribute(&path, "#[derive(serde::Serialize)]");
    let secret = SECRET.contains(&message.name());
    if secret {
        config.type_attribute(&path, "#[derive(zeroize::ZeroizeOnDrop)]");
    }
    for field in &message.field {
        let field_path = format!("{path}.{}", field.name());
        let json = json_form(message, field);
        config.field_attribute(&field_path, format!("#[serde({json})]"));
        if secret && field.r#type() == Type::Message {
            config.field_attribute(&field_path, "#[zeroize(skip)]");
        }
    }
    for nested in &message.nested_type {
        describe(config, &format!("{path}."), nested);
    }
}

/// The name of the protocol and, if needed, the function that writes the value.
fn json_form(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let name = field.json_name();
    let writer = match (field.r#type(), field.type_name()) {
        (Type::Message, ".google.protobuf.Timestamp") => Some("timestamp"),
        (Type::Message, ".google.protobuf.Duration") => Some("duration"),
        (Type::Bytes, _) if field.label() != Label::Repeated => Some("base64"),
        _ if message.name() == "IdentityResponse" && name == "privilege" => Some("privilege"),
        _ => None,
    };
    match writer {
        Some(writer) => format!(r#"rename = "{name}", serialize_with = "crate::json::{writer}""#),
        None => format!(r#"rename = "{name}""#),
    }
}
