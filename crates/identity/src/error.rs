/// Why bytes are not an API key, a certificate or a file of these.
///
/// No variant holds key material.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not an API key.
    #[error("invalid API key: {0}")]
    ApiKey(&'static str),
    /// The text is not an identity of MinIO KMS.
    #[error("invalid identity: {0}")]
    Identity(&'static str),
    /// The bytes are not one X.509 certificate.
    #[error("malformed certificate: {0}")]
    Certificate(String),
    /// A certificate cannot be made with these names or times.
    #[error("cannot make the certificate: {0}")]
    Template(String),
    /// The file is not well-formed PEM.
    #[error("malformed PEM: {0}")]
    Pem(String),
    /// The file has a PEM block that does not belong there.
    #[error("found PEM type '{0}' instead of 'CERTIFICATE'")]
    NotCertificate(String),
    /// The file has no PEM block of use.
    #[error("no PEM-encoded {0} found")]
    NoPemBlock(&'static str),
    /// A private key of a kind that cannot be an API key, such as RSA.
    #[error(
        "the private key cannot be an API key: \
         use an unencrypted key of Ed25519 or of the curves P-256, P-384 or P-521"
    )]
    PrivateKey,
    /// A key operation failed.
    #[error(transparent)]
    Crypto(#[from] keystead_crypto::Error),
}
