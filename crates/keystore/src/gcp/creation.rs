//! How a key comes into being, in two steps.

use std::time::Duration;

use bytes::Bytes;
use google_cloud_secretmanager_v1::model::replication::Automatic;
use google_cloud_secretmanager_v1::model::{Replication, Secret, SecretPayload};
use keystead_observe::{ErrorEvent, Level};
use tokio::time::sleep;
use zeroize::Zeroizing;

use super::Project;
use super::error::Failure;
use crate::Error;

/// How long the rival that has the name gets for its second step before it is
/// mentioned in the log.
const RIVAL: Duration = Duration::from_secs(1);

/// One create. First the name is taken, which one of any number of rivals can do; then
/// the value becomes its first version.
///
/// Only a name that this create is known to have taken is ever given back: one whose
/// taking was not confirmed may be another server's.
pub(super) struct Creation {
    project: Project,
    name: String,
    value: Zeroizing<Vec<u8>>,
}

// === impl Creation ===

impl Creation {
    pub(super) fn new(project: Project, name: &str, value: &[u8]) -> Self {
        Self {
            project,
            name: name.to_owned(),
            value: Zeroizing::new(value.to_vec()),
        }
    }

    pub(super) async fn run(self) -> Result<(), Error> {
        let etag = match self.take_name().await {
            Ok(secret) => secret.etag,
            Err(failure) if failure.says_exists() => {
                self.look_at_owner().await;
                return Err(Error::KeyExists);
            }
            // The name may be taken by now.
            Err(failure) if failure.is_ambiguous() => {
                return Err(failure.with(&self.advice()).into());
            }
            Err(failure) => return Err(failure.into()),
        };
        match self.add_value().await {
            Ok(version) if version.ends_with("/versions/1") => Ok(()),
            Ok(_) => self.compare(None, &etag).await,
            Err(failure) => self.compare(Some(failure), &etag).await,
        }
    }

    async fn take_name(&self) -> Result<Secret, Failure> {
        let replication = Replication::new().set_automatic(Automatic::new());
        let create = self.project.client.create_secret();
        create
            .set_parent(self.project.name())
            .set_secret_id(&self.name)
            .set_secret(Secret::new().set_replication(replication))
            .send()
            .await
            .map_err(|error| Failure::new("secrets.create", &error))
    }

    /// Gives the full name of the version. It may be sent more than once: what counts is
    /// the first version, and the others are the same.
    async fn add_value(&self) -> Result<String, Failure> {
        let payload = SecretPayload::new().set_data(Bytes::from_owner(self.value.clone()));
        let add = self.project.client.add_secret_version();
        let version = add
            .set_parent(self.project.secret(&self.name))
            .set_payload(payload)
            .send()
            .await
            .map_err(|error| Failure::new("versions.add", &error))?;
        Ok(version.name)
    }

    /// Finds out what became of the second step when its outcome is not plain.
    async fn compare(&self, failure: Option<Failure>, etag: &str) -> Result<(), Error> {
        let absent = match self.project.read(&self.name).await {
            Ok(value) if *value == *self.value => return Ok(()),
            Ok(_) => return Err(Error::KeyExists),
            Err(absent) if absent.says_not_found() => absent,
            Err(unknown) => {
                let failure = failure.unwrap_or(unknown);
                return Err(failure.with(&self.advice()).into());
            }
        };
        let failure = failure.unwrap_or(absent);
        match self.project.delete(&self.name, etag).await {
            Ok(()) => Err(failure.into()),
            Err(gone) if gone.says_not_found() => Err(failure.into()),
            Err(refused) => {
                let advice = format!("it could not be deleted: {refused}; {}", self.advice());
                Err(failure.with(&advice).into())
            }
        }
    }

    /// Tells the operator if nothing can come of the name that is taken.
    async fn look_at_owner(&self) {
        for pause in [Duration::ZERO, RIVAL] {
            sleep(pause).await;
            match self.project.read(&self.name).await {
                Err(failure) if failure.says_not_found() => {}
                _ => return,
            }
        }
        let message = "gcp: the secret of this name has no first version: unless another server \
                       is creating the key right now, its creation was cut off between two \
                       steps, and nothing was ever encrypted with it";
        let event = ErrorEvent::new(Level::WARN, message)
            .attribute("name", &self.name)
            .attribute("advice", self.advice());
        self.project.telemetry.log.record(event);
    }

    fn advice(&self) -> String {
        let Self { project, name, .. } = self;
        format!(
            "if the name stays taken by a secret without a version, delete it with 'kes key rm \
             {name}' or 'gcloud secrets delete {name} --project {}', and create the key again",
            project.id
        )
    }
}
