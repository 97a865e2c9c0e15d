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
mod ecdsa;
mod ed25519;
mod encoding;
mod error;
mod kdf;
mod key;
mod key_version;
mod mode;
mod p256_scalar;
mod random;
mod ring;
mod sealed;
mod sealer;
mod secret;
mod stored_key;
mod stream;
#[cfg(test)]
mod tests;

pub use cipher::Cipher;
pub use digest::sha256;
pub use ecdsa::{Curve, EcdsaKey};
pub use ed25519::Ed25519Key;
pub use encoding::{decode_base64, decode_base64url, encode_base64, encode_base64url, hex};
pub use error::Error;
pub use kdf::{hkdf_sha256, hmac_sha256};
pub use key::SecretKey;
pub use key_version::KeyVersion;
pub use mode::Mode;
pub use random::{Random, SystemRandom};
pub use ring::{DataKey, KeyRing};
pub use sealer::Sealer;
pub use secret::{Secret, constant_time_eq};
pub use stored_key::StoredKey;
pub use stream::{ChannelReader, ChannelWriter};
