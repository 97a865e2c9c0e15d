use keystead_crypto::{StoredKey, constant_time_eq};
use keystead_keystore::Error;
use zeroize::Zeroizing;

use super::copy::Outcome;
use super::failure::Failure;
use super::kms::KmsTarget;
use super::patience::Patient;

/// Where keys are copied to.
pub(super) enum Target {
    /// A key store, which takes any value and gives it back.
    Store(Patient),
    /// A MinIO KMS server, which takes keys and uses them.
    Kms(KmsTarget),
}

// === impl Target ===

impl Target {
    /// Every name on the target, ascending.
    pub(super) async fn names(&self) -> Result<Vec<String>, Failure> {
        let names = match self {
            Self::Store(store) => store.names().await,
            Self::Kms(kms) => kms.patient.names().await,
        };
        names.map_err(Failure::Target)
    }

    /// Whether the target has a key with this value; `None` if it has no key of the name.
    pub(super) async fn holds(&self, name: &str, value: &[u8]) -> Result<Option<bool>, Failure> {
        match self {
            Self::Store(store) => {
                let there = store.find(name).await.map_err(Failure::Target)?;
                Ok(there.map(|there| constant_time_eq(&there, value)))
            }
            Self::Kms(kms) => kms.holds(name, value).await,
        }
    }

    pub(super) async fn create(&self, name: &str, value: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Store(store) => store.create(name, value).await.map_err(Failure::Target),
            Self::Kms(kms) => kms.create(name, value).await,
        }
    }

    /// Deletes a key that has another value, and creates it with this one.
    pub(super) async fn replace(&self, name: &str, value: &[u8]) -> Result<Outcome, Failure> {
        match self {
            Self::Store(store) => {
                let old = store.get(name).await.map_err(Failure::Target)?;
                replace(store, name, value, old).await
            }
            Self::Kms(kms) => kms.replace(name, value).await,
        }
    }
}

/// Deletes a key and creates it with another value, or else with the one it had.
async fn replace(
    store: &Patient,
    name: &str,
    value: &[u8],
    old: Zeroizing<Vec<u8>>,
) -> Result<Outcome, Failure> {
    if StoredKey::decode(&old).is_ok() && StoredKey::decode(value).is_err() {
        return Err(Failure::NotAKey);
    }
    store.delete(name).await.map_err(Failure::Target)?;
    match store.create_again(name, value).await {
        Ok(()) => Ok(Outcome::Replaced),
        // Somebody else was faster, with a value of his own.
        Err(Error::KeyExists) => Ok(Outcome::Conflict),
        Err(error @ Error::Unreachable(_)) => Err(Failure::Deleted(error)),
        Err(error) => match store.create_again(name, &old).await {
            Ok(()) => Err(Failure::PutBack(error)),
            Err(_) => Err(Failure::Deleted(error)),
        },
    }
}
