//! The messages of the protocol, generated from `proto/minkms.proto`.
//!
//! They serialise to the JSON that the command line prints: names of the protocol,
//! every member present, times in RFC 3339, durations in Go style, bytes in padded
//! base64 (decision 0.6).

#![allow(
    clippy::all,
    clippy::as_conversions,
    clippy::uninlined_format_args,
    missing_docs,
    rustdoc::bare_urls,
    reason = "generated"
)]

include!(concat!(env!("OUT_DIR"), "/minio.kms.rs"));
