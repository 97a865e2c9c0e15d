use std::error::Error as _;
use std::fmt;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::{Error, Hsm, RootKey, SealedEntry, SoftHsm};

/// A root encryption key that an HSM opened.
pub struct Opened {
    /// The key.
    pub key: RootKey,
    /// The name of the HSM that opened it.
    pub hsm: String,
    /// The HSMs that failed before, and why.
    pub failures: Vec<(String, Error)>,
}

/// Why no HSM opened the root encryption key, for the operator.
#[derive(Debug)]
pub struct OpenError {
    /// The HSMs that hold an entry.
    pub entries: Vec<String>,
    /// The HSMs that are configured.
    pub configured: Vec<String>,
    /// What each of those that are both said.
    pub failures: Vec<(String, Error)>,
}

/// Opens the entries of one root encryption key with any of the HSMs, all of them at
/// once, so that one that hangs does not delay the others. The first that succeeds wins.
///
/// # Errors
/// [`OpenError`] if none succeeds.
pub async fn open_any(entries: &[SealedEntry], hsms: &[Arc<dyn Hsm>]) -> Result<Opened, OpenError> {
    let attempts = entries.iter().flat_map(|entry| {
        let named = hsms.iter().filter(|hsm| hsm.name() == entry.hsm);
        named.map(move |hsm| (entry, hsm))
    });
    let mut attempts: FuturesUnordered<_> = attempts
        .map(|(entry, hsm)| async move {
            let opened = RootKey::unseal_with(&**hsm, entry).await;
            (entry.hsm.clone(), opened)
        })
        .collect();
    let mut failures = Vec::new();
    while let Some((hsm, opened)) = attempts.next().await {
        match opened {
            Ok(key) => {
                return Ok(Opened { key, hsm, failures });
            }
            Err(error) => failures.push((hsm, error)),
        }
    }
    failures.sort_by(|(a, _), (b, _)| a.cmp(b));
    Err(OpenError {
        entries: entries.iter().map(|entry| entry.hsm.clone()).collect(),
        configured: hsms.iter().map(|hsm| hsm.name().to_owned()).collect(),
        failures,
    })
}

// === impl OpenError ===

impl OpenError {
    /// What the operator can do.
    fn advice(&self) -> String {
        let damaged = |error: &Error| {
            matches!(
                error,
                Error::NotAuthentic | Error::NotRootKey | Error::OtherRootKey
            )
        };
        if self.entries.is_empty() {
            return "the data folder holds no sealed root key: restore it, or restore a backup \
                    into a new one"
                .to_owned();
        }
        if self.failures.is_empty() {
            let soft = self.entries.iter().any(|name| name == SoftHsm::NAME);
            let hint = if soft {
                " (hsm:minio:soft is configured by MINIO_KMS_HSM_KEY)"
            } else {
                ""
            };
            let entries = list(&self.entries);
            return format!("configure the HSM that sealed it, one of: {entries}{hint}");
        }
        if self.failures.iter().all(|(_, error)| damaged(error)) {
            return "put back the HSM key that this data folder was made with, \
                    or configure another HSM that holds an entry"
                .to_owned();
        }
        "mend the HSM, or configure another one that holds an entry; the data is intact".to_owned()
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (entries, configured) = (list(&self.entries), list(&self.configured));
        write!(
            f,
            "no HSM opens the root encryption key (entries: {entries}; configured: {configured})"
        )?;
        for (hsm, error) in &self.failures {
            write!(f, "; {hsm}: {error}")?;
            let mut cause = error.source();
            while let Some(error) = cause {
                write!(f, ": {error}")?;
                cause = error.source();
            }
        }
        write!(f, "; {}", self.advice())
    }
}

impl std::error::Error for OpenError {}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.join(", ")
}
