//! Records that cannot be changed, removed or put elsewhere without leaving a trace.

use std::io::BufRead;

use keystead_crypto::{hex, sha256};
use serde::Deserialize;

/// The hash before the first line of a chain.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The member that ends a line.
const HASH: &str = ",\"hash\":\"";

/// Adds the links of a chain to records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    seq: u64,
    hash: String,
}

/// The links of one line.
#[derive(Deserialize)]
struct Links {
    seq: u64,
    prev: String,
}

/// Checks the lines of a chained log from the first to the last.
///
/// Each line is one JSON object whose last members are
///
/// ```text
/// ,"seq":7,"prev":"<64 hex digits>","hash":"<64 hex digits>"}
/// ```
///
/// `hash` is the SHA-256 of the bytes of the line before `,"hash"`; `prev` is the hash of
/// the line before, and 64 zeros in the first line of a chain; `seq` counts from 1. So
/// `printf %s "${line%,\"hash\"*}" | sha256sum` checks one line by hand.
///
/// Nobody needs a secret to check a chain, and so nobody needs one to make another: who can
/// write the whole file can also write a new chain. Keep the last hash that
/// [`finish`](Self::finish) reports where the server cannot write, and compare.
///
/// A log may begin in the middle of a chain, as the files of a rotated log do, and may hold
/// several chains one after the other, as the journal of a restarted server does.
#[derive(Debug, Default)]
pub struct ChainVerifier {
    line: u64,
    last: Option<Chain>,
    summary: ChainSummary,
}

/// What a whole log turned out to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainSummary {
    /// Records, all of them intact.
    pub records: u64,
    /// Chains: 1 for a file that one server wrote to.
    pub chains: u64,
    /// Number of the first record in its chain; above 1 if the log begins in the middle.
    pub first: u64,
    /// Number of the last record in its chain.
    pub last: u64,
    /// Hash of the last record, to be kept elsewhere.
    pub hash: String,
}

/// The first record that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct BrokenRecord {
    /// Number of the line, from 1, over all files that were read.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

// === impl Chain ===

impl Chain {
    /// A chain without records.
    pub(crate) fn new() -> Self {
        Self {
            seq: 0,
            hash: GENESIS.to_owned(),
        }
    }

    /// The chain that ends with `line`, if it is a record.
    pub(crate) fn after(line: &str) -> Option<Self> {
        let (_, hash) = split(line)?;
        let links: Links = serde_json::from_str(line).ok()?;
        Some(Self {
            seq: links.seq,
            hash: hash.to_owned(),
        })
    }

    /// Ends the chain with `record`, a JSON object with at least one member, and returns
    /// the whole line.
    pub(crate) fn link(&mut self, mut record: String) -> String {
        record.pop();
        self.seq = self.seq.saturating_add(1);
        let mut line = format!("{record},\"seq\":{},\"prev\":\"{}\"", self.seq, self.hash);
        self.hash = hex(&sha256(line.as_bytes()));
        line.push_str(HASH);
        line.push_str(&self.hash);
        line.push_str("\"}");
        line
    }
}

// === impl ChainVerifier ===

impl ChainVerifier {
    /// A verifier before the first line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks every line of a file; of a rotated log the oldest file comes first.
    ///
    /// # Errors
    ///
    /// [`BrokenRecord`] for the first line that is not what was written, or that cannot be
    /// read.
    pub fn read(&mut self, file: impl BufRead) -> Result<(), BrokenRecord> {
        for line in file.lines() {
            let line = line.map_err(|error| BrokenRecord {
                line: self.line.saturating_add(1),
                reason: error.to_string(),
            })?;
            self.line(&line)?;
        }
        Ok(())
    }

    /// Checks the next line, without its line break.
    ///
    /// # Errors
    ///
    /// [`BrokenRecord`] if it is not what was written at this place.
    pub fn line(&mut self, line: &str) -> Result<(), BrokenRecord> {
        self.line = self.line.saturating_add(1);
        self.check(line).map_err(|reason| BrokenRecord {
            line: self.line,
            reason,
        })
    }

    /// What the lines so far amount to.
    #[must_use]
    pub fn finish(self) -> ChainSummary {
        let last = self.last.unwrap_or_else(Chain::new);
        ChainSummary {
            last: last.seq,
            hash: last.hash,
            ..self.summary
        }
    }

    fn check(&mut self, line: &str) -> Result<(), String> {
        let (hashed, hash) = split(line).ok_or("not a record of a chained log")?;
        let links: Links = serde_json::from_str(line)
            .map_err(|error| format!("not a record of a chained log: {error}"))?;
        if hex(&sha256(hashed.as_bytes())) != hash {
            return Err(format!(
                "record {} was changed: its content does not have its hash",
                links.seq
            ));
        }
        let begins = links.seq == 1 && links.prev == GENESIS;
        match &self.last {
            Some(last) if !begins => {
                if last.seq.checked_add(1) != Some(links.seq) {
                    return Err(format!(
                        "record {} stands behind record {}: records are missing or moved",
                        links.seq, last.seq
                    ));
                }
                if links.prev != last.hash {
                    return Err(format!(
                        "record {} does not follow the record before it: one of them was \
                         replaced",
                        links.seq
                    ));
                }
            }
            Some(_) => self.summary.chains = self.summary.chains.saturating_add(1),
            None => {
                self.summary.chains = 1;
                self.summary.first = links.seq;
            }
        }
        self.summary.records = self.summary.records.saturating_add(1);
        self.last = Some(Chain {
            seq: links.seq,
            hash: hash.to_owned(),
        });
        Ok(())
    }
}

/// The part of a line that its hash is made of, and the hash.
fn split(line: &str) -> Option<(&str, &str)> {
    let (hashed, rest) = line.rsplit_once(HASH)?;
    let hash = rest.strip_suffix("\"}")?;
    let is_hash = hash.len() == GENESIS.len()
        && hash
            .bytes()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    is_hash.then_some((hashed, hash))
}

#[cfg(test)]
mod tests;
