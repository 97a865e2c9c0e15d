//! What the load generator asks.

use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::client::Client;

/// The key of all calls that need one.
pub(crate) const KEY: &str = "bench";

/// One request.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The `Content-Type`.
    pub(crate) format: &'static str,
    pub(crate) body: Bytes,
}

/// JSON.
pub(crate) const JSON: &str = "application/json";

/// Frames of MinIO KMS.
pub(crate) const FRAMES: &str = "application/octet-stream";

/// A message of gRPC.
pub(crate) const GRPC: &str = "application/grpc";

/// A kind of request and how to make the next one.
#[derive(Clone)]
pub(crate) enum Calls {
    /// The same call again and again.
    Same(Call),
    /// `/v1/key/create/<prefix>-<n>`.
    Create { prefix: String },
    /// Data keys from `called` keys in turn, which lie all over a store of `stored`.
    Spread {
        called: u64,
        stored: u64,
        body: Bytes,
    },
    /// The secret of one of `count` keys, in the same order, from a K/V engine.
    Read { count: u64, folder: &'static str },
    /// What a function makes of the number.
    Made(Maker),
}

/// Makes the call of a number.
#[derive(Clone)]
pub(crate) struct Maker(Arc<dyn Fn(u64) -> Call + Send + Sync>);

// === impl Call ===

impl Call {
    pub(crate) fn get(path: &str) -> Self {
        Self {
            method: Method::GET,
            path: path.to_owned(),
            format: JSON,
            body: Bytes::new(),
        }
    }

    fn post(path: String, body: &Value) -> Self {
        Self {
            method: Method::POST,
            path,
            format: JSON,
            body: Bytes::from(body.to_string()),
        }
    }

    /// A `POST` of something else than JSON.
    pub(crate) fn posting(path: String, format: &'static str, body: Vec<u8>) -> Self {
        Self {
            method: Method::POST,
            path,
            format,
            body: Bytes::from(body),
        }
    }

    pub(crate) fn create(name: &str) -> Self {
        Self {
            method: Method::PUT,
            path: format!("/v1/key/create/{name}"),
            format: JSON,
            body: Bytes::new(),
        }
    }
}

// === impl Calls ===

impl Calls {
    /// The cached calls that are measured, by name. The ciphertexts are made on the
    /// way, so `client` must reach a server that has [`KEY`].
    pub(crate) async fn cached(client: &Client) -> Result<Vec<(&'static str, Self)>> {
        // What MinIO sends: the object's name as context.
        let context = "eyJidWNrZXQiOiJidWNrZXQvcGhvdG9zLzIwMjYvaW1hZ2UuanBnIn0=";
        let generate = Call::post(
            format!("/v1/key/generate/{KEY}"),
            &json!({ "context": context }),
        );
        let mut sender = client.connect().await?;
        let answer: Value = serde_json::from_slice(&client.send(&mut sender, &generate).await?)?;
        let member = |name: &str| {
            answer
                .get(name)
                .cloned()
                .with_context(|| format!("no {name} in the answer"))
        };
        let decrypt = Call::post(
            format!("/v1/key/decrypt/{KEY}"),
            &json!({ "ciphertext": member("ciphertext")?, "context": context }),
        );
        let encrypt = Call::post(
            format!("/v1/key/encrypt/{KEY}"),
            &json!({ "plaintext": member("plaintext")?, "context": context }),
        );
        Ok(vec![
            ("generate", Self::Same(generate)),
            ("decrypt", Self::Same(decrypt)),
            ("encrypt", Self::Same(encrypt)),
        ])
    }

    /// What `make` makes of the number.
    pub(crate) fn made(make: impl Fn(u64) -> Call + Send + Sync + 'static) -> Self {
        Self::Made(Maker(Arc::new(make)))
    }

    /// Data keys from `called` of `stored` keys, which [`spread_name`] names.
    pub(crate) fn spread(called: u64, stored: u64) -> Self {
        Self::Spread {
            called,
            stored,
            body: Bytes::from_static(b"{}"),
        }
    }

    /// The call with number `sequence`.
    pub(crate) fn at(&self, sequence: u64) -> Call {
        match self {
            Self::Same(call) => call.clone(),
            Self::Create { prefix } => Call::create(&format!("{prefix}-{sequence}")),
            Self::Spread {
                called,
                stored,
                body,
            } => {
                let turn = sequence.checked_rem(*called).unwrap_or(0);
                Call {
                    method: Method::POST,
                    path: format!("/v1/key/generate/{}", spread(turn, *stored)),
                    format: JSON,
                    body: body.clone(),
                }
            }
            Self::Read { count, folder } => {
                let name = spread(sequence, *count);
                Call::get(&format!("/v1/{folder}/{name}?version=1"))
            }
            Self::Made(Maker(make)) => make(sequence),
        }
    }
}

fn spread(sequence: u64, count: u64) -> String {
    spread_name(scattered(sequence, count))
}

/// A number below `count`. A prime stride visits every one once before it comes back.
pub(crate) fn scattered(sequence: u64, count: u64) -> u64 {
    sequence
        .wrapping_mul(2_147_483_647)
        .checked_rem(count)
        .unwrap_or(0)
}

/// The name of key `number` in a store of many.
pub(crate) fn spread_name(number: u64) -> String {
    format!("key-{number:07}")
}
