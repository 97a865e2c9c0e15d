//! `kes migrate`: copies keys from one key store to another, byte for byte.
//!
//! A migration goes over the names three times, in ascending order. The [plan](plan) finds
//! out what the target has already, the [copy](copy) brings what it lacks, and the
//! [proof](proof) opens with the target's copies what the source's keys sealed. It keeps
//! no state of its own: a key that the target has with the same value is done, so the
//! same command continues after a crash.
//!
//! The target may be a MinIO KMS server, which gives no key away again. Whether it has
//! [the same key](kms) is found out by letting it open what the source's key sealed.
//!
//! The source is never written to. On the target only `--force` deletes, and only a key
//! whose successor has been read.

mod arguments;
mod ciphertexts;
mod copy;
mod destination;
mod failure;
mod interrupts;
mod kms;
mod migration;
mod order;
mod patience;
mod plan;
mod progress;
mod proof;
mod sample;
mod stores;
mod target;
#[cfg(test)]
mod tests;
mod totals;

pub(super) use arguments::MigrateArgs;
