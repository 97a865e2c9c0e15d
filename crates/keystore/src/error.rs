/// The cause of a failure, for the error log only. It must not contain key
/// material or credentials.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a key store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is a key of this name already.
    #[error("key already exists")]
    KeyExists,
    /// There is no key of this name.
    #[error("key does not exist")]
    KeyNotFound,
    /// The key store did not answer: network, time-out, sealed.
    #[error("key store is not reachable")]
    Unreachable(#[source] Cause),
    /// The program was built without the back end for this key store.
    #[error("keystore '{name}' is not part of this build: build with its cargo feature")]
    NotBuilt {
        /// Where the store stands in the configuration file, below `keystore`.
        name: &'static str,
    },
    /// The key store knows who asks and does not let them, or does not know them.
    #[error("key store denied access")]
    Denied(#[source] Cause),
    /// The key store answered, but not with what was asked for.
    #[error("key store failed")]
    Failed(#[source] Cause),
}

impl Error {
    /// An [`Error::Unreachable`] from any error or text.
    pub fn unreachable(cause: impl Into<Cause>) -> Self {
        Self::Unreachable(cause.into())
    }

    /// An [`Error::Denied`] from any error or text.
    pub fn denied(cause: impl Into<Cause>) -> Self {
        Self::Denied(cause.into())
    }

    /// An [`Error::Failed`] from any error or text.
    pub fn failed(cause: impl Into<Cause>) -> Self {
        Self::Failed(cause.into())
    }
}
