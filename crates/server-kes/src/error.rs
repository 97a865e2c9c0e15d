use std::error::Error as StdError;
use std::net::SocketAddr;
use std::{io, iter};

use keystead_http::HttpError;

/// Why a server does not start, or does not take a new configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The listen address cannot be used.
    #[error("listen tcp {address}: {source}")]
    Listen {
        /// The address of the configuration.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// Key, certificate or certificate authorities cannot be used.
    #[error(transparent)]
    Tls(#[from] keystead_tls::Error),
    /// The policies contradict each other.
    #[error(transparent)]
    Policy(#[from] keystead_policy::Error),
    /// The key store cannot be opened.
    #[error("failed to open the key store: {}", chain(.0))]
    Store(#[source] keystead_keystore::Error),
    /// A key of the configuration's `keys` is missing and cannot be created.
    #[error("failed to create key '{name}': {}", chain(.source))]
    CreateKey {
        /// The name of the key.
        name: String,
        /// What the key store said.
        source: keystead_keystore::Error,
    },
    /// A key operation without a server failed.
    #[error("{}", told(.0))]
    Key(Box<HttpError>),
    /// The operating system gives no random bytes for a new key.
    #[error("failed to generate key '{name}': {source}")]
    GenerateKey {
        /// The name of the key.
        name: String,
        /// What is missing.
        source: keystead_crypto::Error,
    },
}

/// What a client of a server is told, and the cause that is kept from it.
fn told(error: &HttpError) -> String {
    match &error.internal {
        Some(cause) => format!("{}: {}", error.external, chain(cause.as_ref())),
        None => error.external.to_string(),
    }
}

impl From<HttpError> for Error {
    fn from(error: HttpError) -> Self {
        Self::Key(Box::new(error))
    }
}

/// An error with its causes, because the command line shows one line.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let texts: Vec<_> = iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect();
    texts.join(": ")
}
