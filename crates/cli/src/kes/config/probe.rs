//! Tries everything that a server does with its key store, on a key that is removed again.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Result, bail};
use jiff::Timestamp;
use keystead_config::GoDuration;
use keystead_config::kes::KeyStoreConfig;
use keystead_crypto::{Cipher, Random, StoredKey, SystemRandom};
use keystead_keystore::{Error, Grant, KeyStore, Operation, Use, create_key, grant, read_key};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{sleep, timeout};

use crate::kes::client::Interrupted;
use crate::output;

use super::report::{Outcome, Report};

/// How long the key store may take for one operation, as in a server.
const LIMIT: Duration = Duration::from_secs(15);

/// How often is looked whether a deleted key is gone, and the pauses between.
const LOOKS: usize = 6;
const PAUSE: Duration = Duration::from_millis(500);

/// What names of probe keys begin with. Every key store can represent them.
const PREFIX: &str = "keystead-check-";

/// A key store that is tried.
pub(super) struct Probe<'a> {
    store: &'a dyn KeyStore,
    config: &'a KeyStoreConfig,
    usage: Use,
    /// The name of the key, which nobody else has.
    name: String,
    key: StoredKey,
}

/// The signals that end a check.
pub(super) struct Interrupt {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    /// How often one of them came.
    count: usize,
}

/// What is known about the probe key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Absent,
    Created,
    /// An attempt to create it failed in a way that does not tell.
    Unknown,
}

// === impl Probe ===

impl<'a> Probe<'a> {
    pub(super) fn new(
        store: &'a dyn KeyStore,
        config: &'a KeyStoreConfig,
        usage: Use,
    ) -> Result<Self, keystead_crypto::Error> {
        let mut random = [0; 8];
        SystemRandom.fill(&mut random)?;
        let key = StoredKey::generate(Cipher::native(), &SystemRandom, Timestamp::now(), "")?;
        Ok(Self {
            store,
            config,
            usage,
            name: format!("{PREFIX}{:016x}", u64::from_ne_bytes(random)),
            key,
        })
    }

    /// Tries one operation after the other, and removes the key whatever happens.
    pub(super) async fn run(self, report: &mut Report, interrupt: &mut Interrupt) -> Result<()> {
        let mut presence = Presence::Absent;
        let result = self.operations(report, interrupt, &mut presence).await;
        let removed = match self.usage {
            Use::ReadOnly => Ok(()),
            // Nothing to remove, and nobody who waits for the outcome.
            Use::Full if presence == Presence::Absent && result.is_err() => Ok(()),
            Use::Full => {
                if matches!(&result, Err(error) if error.is::<Interrupted>()) {
                    self.announce_removal();
                }
                self.delete(report, interrupt, presence).await
            }
        };
        result.and(removed)
    }

    async fn operations(
        &self,
        report: &mut Report,
        interrupt: &mut Interrupt,
        presence: &mut Presence,
    ) -> Result<()> {
        let status = interrupt.or(within_limit(self.store.status())).await?;
        report.add(&match status {
            Ok(latency) => Outcome::ok("status", GoDuration::from(latency).to_string()),
            Err(error) => self.refused("status", Operation::Connect, error),
        })?;
        // A key that is not there tells whether it may be read, without writing one.
        let read = interrupt.or(self.read()).await?;
        if self.usage == Use::Full {
            // Never given up half-way: it would not be known whether there is a key.
            let created = within_limit(create_key(self.store, &self.name, &self.key)).await;
            *presence = match &created {
                Ok(()) | Err(Error::KeyExists) => Presence::Created,
                Err(Error::Denied(_)) => Presence::Absent,
                Err(_) => Presence::Unknown,
            };
            report.add(&match (created, &read) {
                (Ok(()), _) => Outcome::ok("create", ""),
                // Nobody else has thought of this name.
                (Err(Error::KeyExists), _) => {
                    Outcome::warning("create", "the answer was lost at the first attempt")
                }
                (Err(Error::Denied(_)), Err(Error::Denied(_))) => {
                    Outcome::skipped("create", "keys are looked up first, which is denied")
                }
                (Err(error), _) => self.refused("create", Operation::Create, error),
            })?;
        }
        let read = match read {
            Err(Error::KeyNotFound) if *presence == Presence::Created => {
                interrupt.or(self.read()).await?
            }
            Err(Error::KeyNotFound) => Ok(()),
            read => read,
        };
        report.add(&match read {
            Ok(()) => Outcome::ok("read", ""),
            // Some key stores hide from an account what it may not read.
            Err(Error::KeyNotFound) => {
                Outcome::failed("read", "the key that was just created is not found")
                    .with_grant(grant(self.config, Operation::Read, self.usage))
            }
            Err(error) => self.refused("read", Operation::Read, error),
        })?;
        let names = self.store.list(&self.name, "", 2);
        let names = interrupt.or(within_limit(names)).await?;
        report.add(&match names {
            Ok(names) if *presence == Presence::Created && !names.contains(&self.name) => {
                Outcome::warning("list", "a new key is not listed at once")
            }
            Ok(_) => Outcome::ok("list", ""),
            Err(error) => self.refused("list", Operation::List, error),
        })
    }

    /// Reads the key and compares it.
    async fn read(&self) -> Result<(), Error> {
        let key = within_limit(read_key(self.store, &self.name)).await?;
        if key.id() == self.key.id() {
            Ok(())
        } else {
            Err(Error::failed("another key was read than was created"))
        }
    }

    async fn delete(
        &self,
        report: &mut Report,
        interrupt: &mut Interrupt,
        presence: Presence,
    ) -> Result<()> {
        let may_exist = presence != Presence::Absent;
        let mut deleting = pin!(within_limit(self.store.delete(&self.name)));
        let mut deleted = interrupt.or(&mut deleting).await;
        if deleted.is_err() && may_exist && !interrupt.is_repeated() {
            self.announce_removal();
            deleted = interrupt.or(deleting).await;
        }
        let deleted = match deleted {
            Ok(deleted) => deleted,
            Err(interrupted) if may_exist => return self.give_up(interrupted),
            Err(interrupted) => return Err(interrupted),
        };
        let (outcome, is_left) = match deleted {
            // And some say of what an account may not delete that it is deleted, or not
            // there, which a second attempt finds, too, if the answer to the first got lost.
            Ok(()) | Err(Error::KeyNotFound) if may_exist && self.stays().await => {
                let outcome = Outcome::failed("delete", "the key is still there")
                    .with_grant(grant(self.config, Operation::Delete, self.usage));
                (outcome, true)
            }
            Ok(()) | Err(Error::KeyNotFound) => (Outcome::ok("delete", ""), false),
            Err(error) => (self.refused("delete", Operation::Delete, error), may_exist),
        };
        match is_left {
            false => report.add(&outcome),
            true => report
                .add(&outcome.leaving(&self.name))
                .or_else(|unprinted| self.give_up(unprinted)),
        }
    }

    /// Whether the key can be read although it was deleted, and not only for a moment.
    async fn stays(&self) -> bool {
        for _ in 0..LOOKS {
            if self.read().await.is_err() {
                return false;
            }
            sleep(PAUSE).await;
        }
        true
    }

    /// Says why it takes a moment to end.
    fn announce_removal(&self) {
        let name = &self.name;
        output::note(&format!(
            "Removing the key '{name}'. Interrupt again to leave it behind.\n"
        ));
    }

    /// Ends with the name of the key, for somebody else to remove.
    fn give_up(&self, error: anyhow::Error) -> Result<()> {
        let name = &self.name;
        output::note(&format!("the key '{name}' may still be there: remove it\n"));
        Err(error)
    }

    fn refused(&self, check: &'static str, operation: Operation, error: Error) -> Outcome {
        refusal(check, error, || grant(self.config, operation, self.usage))
    }
}

/// The outcome of an operation that failed: with what has to be granted, if it was denied.
pub(super) fn refusal(
    check: &'static str,
    error: Error,
    grant: impl FnOnce() -> Option<Grant>,
) -> Outcome {
    let grant = match error {
        Error::Denied(_) => grant(),
        _ => None,
    };
    // With its causes.
    let message = format!("{:#}", anyhow::Error::from(error));
    Outcome::failed(check, message).with_grant(grant)
}

async fn within_limit<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(LIMIT, work)
        .await
        .unwrap_or_else(|late| Err(Error::unreachable(late)))
}

// === impl Interrupt ===

impl Interrupt {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            count: 0,
        })
    }

    pub(super) async fn requested(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
        self.count += 1;
    }

    /// Whether one came after the other.
    fn is_repeated(&self) -> bool {
        self.count > 1
    }

    /// The result of `work`, unless somebody interrupts it.
    async fn or<T>(&mut self, work: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.requested() => bail!(Interrupted),
            result = work => Ok(result),
        }
    }
}
