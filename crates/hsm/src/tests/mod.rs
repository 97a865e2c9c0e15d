//! Tests across the whole crate.

use std::sync::Arc;

use async_trait::async_trait;
use keystead_crypto::{Error as CryptoError, Random, SystemRandom};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{Error, Hsm, HsmKey, SealedEntry, SoftHsm};

mod entries;
mod ids;
mod key_source;
mod vectors;

/// Gives the same bytes again and again.
struct Replay(Vec<u8>);

impl Random for Replay {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        for (to, from) in out.iter_mut().zip(self.0.iter().cycle()) {
            *to = *from;
        }
        Ok(())
    }
}

fn section(path: &[&str]) -> Value {
    let mut vectors: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/minkms.json")).unwrap();
    for name in path {
        vectors = vectors[*name].take();
    }
    vectors
}

fn list<'a>(entry: &'a Value, field: &str) -> &'a [Value] {
    let entries = entry[field].as_array().unwrap();
    println!("vectors: {field}: {}", entries.len());
    assert!(!entries.is_empty());
    entries
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry[field].as_str().unwrap()
}

fn hex(entry: &Value, field: &str) -> Vec<u8> {
    data_encoding::HEXLOWER
        .decode(text(entry, field).as_bytes())
        .unwrap()
}

fn soft(text: &str) -> Arc<dyn Hsm> {
    soft_with(text, Arc::new(SystemRandom))
}

fn soft_with(text: &str, random: Arc<dyn Random>) -> Arc<dyn Hsm> {
    Arc::new(SoftHsm::new(&HsmKey::parse(text).unwrap(), random).unwrap())
}

/// What a double of an HSM does when it is asked to unseal.
enum Answer {
    Hang,
    Fail(fn() -> Error),
    Give(Vec<u8>),
}

/// A double of an HSM that seals nothing.
struct Double {
    name: &'static str,
    answer: Answer,
}

fn double(name: &'static str, answer: Answer) -> Arc<dyn Hsm> {
    Arc::new(Double { name, answer })
}

#[async_trait]
impl Hsm for Double {
    fn name(&self) -> &str {
        self.name
    }

    async fn seal(&self, plaintext: &[u8], _: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(plaintext.to_vec())
    }

    async fn unseal(&self, _: &[u8], _: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        match &self.answer {
            Answer::Hang => std::future::pending().await,
            Answer::Fail(error) => Err(error()),
            Answer::Give(bytes) => Ok(Zeroizing::new(bytes.clone())),
        }
    }

    async fn probe(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// The entry under the name of another HSM.
fn renamed(entry: &SealedEntry, hsm: &str) -> SealedEntry {
    SealedEntry {
        hsm: hsm.to_owned(),
        ..entry.clone()
    }
}
