/// What can go wrong with keys and ciphertexts.
///
/// No variant holds key material, plaintext or ciphertext bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The ciphertext was not made by this key with this context, or is no
    /// ciphertext at all.
    #[error("ciphertext is not authentic")]
    NotAuthentic,
    /// The key was stored by a release without HMAC keys.
    #[error("key has no HMAC key")]
    NoHmacKey,
    /// A secret or HMAC key of the wrong length, in bytes.
    #[error("key has {0} bytes instead of 32")]
    KeyLength(usize),
    /// A name that no cipher has.
    #[error("unknown cipher '{0}'")]
    UnknownCipher(String),
    /// The value of a key store entry is neither of the two key formats.
    #[error("malformed stored key: {0}")]
    MalformedKey(&'static str),
    /// Text that is not padded base64 of the standard alphabet.
    #[error("invalid base64")]
    Base64,
    /// Bytes that are not the PKCS#8 form of an Ed25519 private key.
    #[error("not an Ed25519 private key in PKCS#8 form")]
    Pkcs8,
    /// Bytes that are not the private key of an elliptic curve: P-256, P-384 or P-521.
    #[error("not a private key of the curves P-256, P-384 or P-521")]
    EcKey,
    /// A number of a key version that cannot be: 0, or one used before.
    #[error("invalid number of a key version")]
    KeyVersion,
    /// The key has no such version.
    #[error("key version does not exist")]
    NoKeyVersion,
    /// A key with more versions than it may have.
    #[error("too many key versions")]
    TooManyKeyVersions,
    /// More key material asked for than a key derivation gives.
    #[error("too much key material asked for")]
    TooMuchKeyMaterial,
    /// The plaintext is longer than the cipher allows (64 GiB).
    #[error("plaintext is too long")]
    PlaintextTooLong,
    /// The operating system gave no random bytes.
    #[error("no randomness available")]
    NoRandomness,
}
