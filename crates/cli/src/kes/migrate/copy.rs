use keystead_crypto::{StoredKey, constant_time_eq};
use keystead_keystore::Error;
use serde::Serialize;
use zeroize::Zeroizing;

use super::failure::Failure;
use super::patience::Patient;
use super::plan::Step;

/// What to do about a key that the target has with another value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conflict {
    Fail,
    Replace,
    Keep,
}

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// The target has it now.
    Migrated,
    /// The target has it now in place of another value.
    Replaced,
    /// The target had it, with the same value.
    Present,
    /// The target keeps another value.
    Skipped,
    /// The source lists it and does not have it: deleted since, or only marked as
    /// deleted.
    Gone,
    /// The target has another value, and nobody said which one counts.
    Conflict,
}

/// Copies single keys.
pub(super) struct Copier {
    pub(super) source: Patient,
    pub(super) target: Patient,
    pub(super) conflict: Conflict,
}

// === impl Copier ===

impl Copier {
    /// Reads the value of a key that the target does not list.
    pub(super) async fn look(&self, name: &str) -> Result<Step, Failure> {
        let value = self.source.find(name).await.map_err(Failure::Source)?;
        Ok(value.map_or(Step::Gone, |_| Step::Copy))
    }

    /// Finds out what is to be done about a key that the target lists.
    pub(super) async fn compare(&self, name: &str) -> Result<Step, Failure> {
        let Some(value) = self.source.find(name).await.map_err(Failure::Source)? else {
            return Ok(Step::Gone);
        };
        let there = self.target.find(name).await.map_err(Failure::Target)?;
        Ok(match there {
            None => Step::Copy,
            Some(there) if constant_time_eq(&there, &value) => Step::Present,
            Some(_) => Step::Differs,
        })
    }

    /// Copies a value as it is, whatever it contains.
    pub(super) async fn copy(&self, name: &str) -> Result<Outcome, Failure> {
        let Some(value) = self.source.find(name).await.map_err(Failure::Source)? else {
            return Ok(Outcome::Gone);
        };
        match self.target.create(name, &value).await {
            Ok(()) => Ok(Outcome::Migrated),
            Err(Error::KeyExists) => self.settle(name, &value).await,
            Err(error) => Err(Failure::Target(error)),
        }
    }

    /// Deals with a key that the target has.
    async fn settle(&self, name: &str, value: &[u8]) -> Result<Outcome, Failure> {
        let there = self.target.get(name).await.map_err(Failure::Target)?;
        if constant_time_eq(&there, value) {
            return Ok(Outcome::Present);
        }
        match self.conflict {
            Conflict::Fail => Ok(Outcome::Conflict),
            Conflict::Keep => Ok(Outcome::Skipped),
            Conflict::Replace => self.replace(name, value, there).await,
        }
    }

    /// Deletes a key and creates it with another value, or else with the one it had.
    async fn replace(
        &self,
        name: &str,
        value: &[u8],
        old: Zeroizing<Vec<u8>>,
    ) -> Result<Outcome, Failure> {
        if StoredKey::decode(&old).is_ok() && StoredKey::decode(value).is_err() {
            return Err(Failure::NotAKey);
        }
        self.target.delete(name).await.map_err(Failure::Target)?;
        match self.target.create_again(name, value).await {
            Ok(()) => Ok(Outcome::Replaced),
            // Somebody else was faster, with a value of his own.
            Err(Error::KeyExists) => Ok(Outcome::Conflict),
            Err(error @ Error::Unreachable(_)) => Err(Failure::Deleted(error)),
            Err(error) => match self.target.create_again(name, &old).await {
                Ok(()) => Err(Failure::PutBack(error)),
                Err(_) => Err(Failure::Deleted(error)),
            },
        }
    }
}
