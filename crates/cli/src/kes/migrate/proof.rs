use keystead_crypto::{Error, Random, StoredKey, constant_time_eq};
use zeroize::Zeroizing;

use super::ciphertexts::Evidence;
use super::copy::Copier;
use super::failure::Failure;
use super::target::Target;

/// Length of a data key in bytes.
pub(super) const PLAINTEXT_LEN: usize = 32;

/// How a proof ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Proven,
    /// The values are equal, but no keys.
    Unprovable(String),
    Failed(String),
}

/// Two copies of a key that do not do the same.
#[derive(Debug, thiserror::Error)]
enum Mismatch {
    #[error("the target's value differs from the source's")]
    Value,
    #[error("what one copy sealed is something else to the other")]
    Plaintext,
    #[error("the copies have different HMACs")]
    Hmac,
    #[error(transparent)]
    Crypto(#[from] Error),
}

// === impl Copier ===

impl Copier {
    /// Reads a key from both sides and compares what the two copies do.
    pub(super) async fn prove(&self, name: &str, random: &dyn Random) -> Result<Verdict, Failure> {
        let source = self.source.get(name).await.map_err(Failure::Source)?;
        let target = match &self.target {
            Target::Store(store) => store.get(name).await.map_err(Failure::Target)?,
            Target::Kms(kms) => return kms.prove(name, &source, random).await,
        };
        if !constant_time_eq(&source, &target) {
            return Ok(Verdict::Failed(Mismatch::Value.to_string()));
        }
        let (source, target) = match (StoredKey::decode(&source), StoredKey::decode(&target)) {
            (Ok(source), Ok(target)) => (source, target),
            (Err(error), _) | (_, Err(error)) => {
                return Ok(Verdict::Unprovable(error.to_string()));
            }
        };
        Ok(match equal(&source, &target, name, random) {
            Ok(()) => Verdict::Proven,
            Err(mismatch) => Verdict::Failed(mismatch.to_string()),
        })
    }

    /// Opens a ciphertext with the target's key.
    pub(super) async fn open(&self, evidence: &Evidence) -> Result<Verdict, Failure> {
        let value = match &self.target {
            Target::Store(store) => store.get(&evidence.name).await.map_err(Failure::Target)?,
            Target::Kms(kms) => return kms.open(evidence).await,
        };
        let opened = StoredKey::decode(&value)
            .and_then(|key| key.open(&evidence.ciphertext, &evidence.context));
        Ok(match opened {
            Ok(_) => Verdict::Proven,
            Err(error) => Verdict::Failed(error.to_string()),
        })
    }
}

/// Seals with either key and opens with the other; compares their HMACs.
fn equal(
    source: &StoredKey,
    target: &StoredKey,
    name: &str,
    random: &dyn Random,
) -> Result<(), Mismatch> {
    let mut plaintext = Zeroizing::new([0; PLAINTEXT_LEN]);
    random.fill(&mut *plaintext)?;
    let context = name.as_bytes();
    for (one, other) in [(source, target), (target, source)] {
        let sealed = one.seal(random, &*plaintext, context)?;
        if !constant_time_eq(&other.open(&sealed, context)?, &*plaintext) {
            return Err(Mismatch::Plaintext);
        }
    }
    match (source.hmac(&*plaintext), target.hmac(&*plaintext)) {
        (Ok(one), Ok(other)) if constant_time_eq(&one, &other) => Ok(()),
        (Err(Error::NoHmacKey), Err(Error::NoHmacKey)) => Ok(()),
        _ => Err(Mismatch::Hmac),
    }
}
