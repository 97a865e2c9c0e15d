//! Migrations between stores in memory that fail where they are told to.

mod continuing;
mod copying;
mod fake;
mod forcing;
mod proving;

use std::io;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use glob::Pattern;
use keystead_crypto::{Cipher, StoredKey, SystemRandom};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::output::Output;

use self::fake::Fake;
use super::ciphertexts::Evidence;
use super::copy::{Conflict, Copier};
use super::migration::Migration;
use super::patience::Patient;
use super::progress::Progress;
use super::sample::Sample;
use super::target::Target;

/// Two stores, and how a migration between them is to go.
struct World {
    source: Arc<Fake>,
    target: Arc<Fake>,
    conflict: Conflict,
    pattern: &'static str,
    dry_run: bool,
    keep_going: bool,
    sample: Sample,
    evidence: Vec<Evidence>,
    /// Lines that can be printed before nobody reads them any more.
    readable: usize,
    notes: Arc<Mutex<Vec<String>>>,
    halt: CancellationToken,
}

/// What a migration printed and how it ended.
struct Told {
    lines: Vec<Value>,
    result: Result<()>,
}

/// A pipe that somebody closes.
#[derive(Clone)]
struct Pipe {
    text: Arc<Mutex<String>>,
    lines_left: usize,
}

// === impl World ===

impl World {
    fn new() -> Self {
        Self {
            source: Arc::default(),
            target: Arc::default(),
            conflict: Conflict::Fail,
            pattern: "*",
            dry_run: false,
            keep_going: false,
            sample: Sample::Some(0),
            evidence: Vec::new(),
            readable: usize::MAX,
            notes: Arc::default(),
            halt: CancellationToken::new(),
        }
    }

    /// Puts keys `key-000`, `key-001` and so on into the source.
    fn with_keys(number: usize) -> Self {
        let world = Self::new();
        for number in 0..number {
            world.source.put(&format!("key-{number:03}"), &a_key());
        }
        world
    }

    async fn migrate(&self) -> Told {
        let notes = Arc::clone(&self.notes);
        let notes = Arc::new(move |text: &str| notes.lock().unwrap().push(text.to_owned()));
        let patient = |name, store: &Arc<Fake>| {
            Patient::new(
                name,
                Arc::<Fake>::clone(store),
                self.halt.clone(),
                notes.clone(),
            )
        };
        let migration = Migration {
            copier: Arc::new(Copier {
                source: patient("source", &self.source),
                target: Target::Store(patient("target", &self.target)),
                conflict: self.conflict,
            }),
            pattern: Pattern::new(self.pattern).unwrap(),
            dry_run: self.dry_run,
            keep_going: self.keep_going,
            sample: self.sample,
            evidence: self.evidence.clone(),
            random: Arc::new(SystemRandom),
            halt: self.halt.clone(),
        };
        let output = Output {
            json: true,
            interactive: false,
        };
        let pipe = Pipe {
            text: Arc::default(),
            lines_left: self.readable,
        };
        let mut progress = Progress::new(output, pipe.clone());
        let before = self.source.values();
        let result = migration.run(&mut progress).await;
        assert_eq!(self.source.values(), before, "the source was written to");
        let text = pipe.text.lock().unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        Told {
            lines: lines.collect(),
            result,
        }
    }

    /// Migrates as a new process would, after the cause of the failure has gone.
    async fn migrate_again(&mut self) -> Told {
        self.halt = CancellationToken::new();
        self.readable = usize::MAX;
        self.source.heal();
        self.target.heal();
        self.migrate().await
    }

    fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap().clone()
    }
}

// === impl Told ===

impl Told {
    /// Names and statuses of the keys, in the order in which they were told.
    fn statuses(&self) -> Vec<(&str, &str)> {
        self.pairs("status")
    }

    fn proofs(&self) -> Vec<(&str, &str)> {
        self.pairs("proof")
    }

    fn pairs(&self, member: &str) -> Vec<(&str, &str)> {
        let lines = self.lines.iter();
        lines
            .filter_map(|line| Some((line["name"].as_str()?, line[member].as_str()?)))
            .collect()
    }

    /// A figure of the last line.
    fn total(&self, member: &str) -> u64 {
        self.lines.last().unwrap()[member].as_u64().unwrap()
    }

    fn error(&self) -> String {
        self.result.as_ref().unwrap_err().to_string()
    }
}

// === impl Pipe ===

impl io::Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.lines_left == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.lines_left -= 1;
        let text = std::str::from_utf8(bytes).unwrap();
        self.text.lock().unwrap().push_str(text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The value of a new key.
fn a_key() -> Vec<u8> {
    let key = StoredKey::generate(Cipher::Aes256, &SystemRandom, jiff::Timestamp::now(), "me");
    key.unwrap().encode().as_bytes().to_vec()
}

/// The value of a key of old releases.
const LEGACY: &[u8] = br#"{"bytes":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#;
