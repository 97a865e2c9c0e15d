use keystead_keystore::Error;
use serde::Serialize;

use super::failure::Failure;
use super::patience::Patient;
use super::plan::Step;
use super::target::Target;

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
    pub(super) target: Target,
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
        Ok(match self.target.holds(name, &value).await? {
            None => Step::Copy,
            Some(true) => Step::Present,
            Some(false) => Step::Differs,
        })
    }

    /// Copies a value as it is, whatever it contains.
    pub(super) async fn copy(&self, name: &str) -> Result<Outcome, Failure> {
        let Some(value) = self.source.find(name).await.map_err(Failure::Source)? else {
            return Ok(Outcome::Gone);
        };
        match self.target.create(name, &value).await {
            Ok(()) => Ok(Outcome::Migrated),
            Err(Failure::Target(Error::KeyExists)) => self.settle(name, &value).await,
            Err(failure) => Err(failure),
        }
    }

    /// Deals with a key that the target has.
    async fn settle(&self, name: &str, value: &[u8]) -> Result<Outcome, Failure> {
        match self.target.holds(name, value).await? {
            None => return Err(Failure::Target(Error::KeyNotFound)),
            Some(true) => return Ok(Outcome::Present),
            Some(false) => {}
        }
        match self.conflict {
            Conflict::Fail => Ok(Outcome::Conflict),
            Conflict::Keep => Ok(Outcome::Skipped),
            Conflict::Replace => self.target.replace(name, value).await,
        }
    }
}
