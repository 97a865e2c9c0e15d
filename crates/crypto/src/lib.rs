//! Key types, authenticated encryption and key formats of Keystead.
//!
//! Everything here is a pure function of its arguments: no I/O, no clock, and
//! randomness only through [`Random`]. This crate alone names the AEAD and
//! signature library.
//!
//! The centre is [`StoredKey`], one key as a key store keeps it. It seals data
//! in the one current ciphertext format and opens every format that a KES
//! server ever wrote since version 0.6.1. Key material is wiped on drop, is
//! compared in constant time, and its types cannot be printed.

mod cipher;
mod ciphertext;
mod digest;
mod ed25519;
mod encoding;
mod error;
mod key;
mod random;
mod secret;
mod stored_key;
#[cfg(test)]
mod tests;

pub use cipher::Cipher;
pub use digest::sha256;
pub use ed25519::Ed25519Key;
pub use encoding::{decode_base64, encode_base64, hex};
pub use error::Error;
pub use key::SecretKey;
pub use random::{Random, SystemRandom};
pub use secret::{Secret, constant_time_eq};
pub use stored_key::StoredKey;
