use std::fmt;

use data_encoding::HEXLOWER;
use keystead_crypto::sha256;
use zeroize::Zeroizing;

use crate::Table;

/// Separates the digest of a state from other hashes.
const LABEL: &[u8] = b"keystead/minkms/v1/state";

/// A fingerprint of all records of a state, whatever order they came in.
///
/// The sum of `SHA-256(table || length of key || key || value)` over all records,
/// modulo 2^256, with their number. It is kept up to date record by record. Whoever can
/// choose records freely can make two states with one digest; it guards against faults
/// of disks and programs, not against the root.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Digest {
    /// Four digits of base 2^64, the least significant first.
    sum: [u64; 4],
    count: u64,
}

// === impl Digest ===

impl Digest {
    /// `SHA-256(label || sum || number of records)`.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        let mut text = LABEL.to_vec();
        text.extend_from_slice(&self.encode());
        sha256(&text)
    }

    /// The number of records.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn add(&mut self, table: Table, key: &[u8], value: &[u8]) {
        let mut carry = false;
        for (digit, other) in self.sum.iter_mut().zip(hash(table, key, value)) {
            let (sum, first) = digit.overflowing_add(other);
            let (sum, second) = sum.overflowing_add(carry.into());
            *digit = sum;
            carry = first || second;
        }
        self.count = self.count.wrapping_add(1);
    }

    pub(crate) fn remove(&mut self, table: Table, key: &[u8], value: &[u8]) {
        let mut borrow = false;
        for (digit, other) in self.sum.iter_mut().zip(hash(table, key, value)) {
            let (difference, first) = digit.overflowing_sub(other);
            let (difference, second) = difference.overflowing_sub(borrow.into());
            *digit = difference;
            borrow = first || second;
        }
        self.count = self.count.wrapping_sub(1);
    }

    /// Sum and number, from which the digest can go on.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let digits = self.sum.iter().chain([&self.count]);
        digits.flat_map(|digit| digit.to_le_bytes()).collect()
    }
}

/// Lower-case hex of [`to_bytes`](Digest::to_bytes).
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.to_bytes()))
    }
}

fn hash(table: Table, key: &[u8], value: &[u8]) -> [u64; 4] {
    let length = u64::try_from(key.len()).unwrap_or(u64::MAX);
    let size = key.len().saturating_add(value.len()).saturating_add(9);
    let mut text = Zeroizing::new(Vec::with_capacity(size));
    text.push(table.code());
    text.extend_from_slice(&length.to_le_bytes());
    text.extend_from_slice(key);
    text.extend_from_slice(value);
    let hash = sha256(&text);
    let mut digits = [0; 4];
    for (digit, bytes) in digits.iter_mut().zip(hash.as_chunks::<8>().0) {
        *digit = u64::from_le_bytes(*bytes);
    }
    digits
}
