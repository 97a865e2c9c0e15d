use std::fmt;
use std::path::PathBuf;

use keystead_config::kes::EngineVersion;

/// Why Vault did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no answer.
    #[error(transparent)]
    Transport(#[from] keystead_rest::Error),
    /// The server answered with an error.
    #[error("{status}: {reason}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the server said.
        reason: Reason,
    },
    /// The server is sealed.
    #[error("vault: key store is sealed")]
    Sealed,
    /// The server has never been set up.
    #[error("vault: the server is not initialised")]
    NotInitialised,
    /// The server answered with something else than its protocol.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
    /// The server redirects to a place where nothing may be sent.
    #[error("redirected to '{0}', which is not followed")]
    Redirect(String),
    /// The answer to a login has no token.
    #[error("authentication failed: no error but also no token")]
    NoToken,
    /// A credential cannot be read.
    #[error("open {}: {source}", path.display())]
    Credential {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A K/V engine has another version than it is configured with.
    #[error(
        "the K/V engine '{engine}' does not have version {configured}: write 'version: {actual}'"
    )]
    EngineVersion {
        /// The mount path.
        engine: String,
        /// What the configuration says.
        configured: Version,
        /// What the server says.
        actual: Version,
    },
    /// The newest version of a K/V v2 entry has been deleted, but not its metadata.
    #[error(
        "entry exists but failed to read: '{0}' is deleted but not destroyed; undelete it, \
         or remove it for good with 'kv metadata delete'"
    )]
    SoftDeleted(String),
    /// An entry is there, but without a text under its own name.
    #[error(
        "entry exist but failed to read: '{0}' has no text field of that name: invalid K/V format"
    )]
    Format(String),
    /// A value is not text, which is all that a K/V engine can hold.
    #[error("the value is not UTF-8 text")]
    NotText,
    /// A transit engine answered with something that is not a ciphertext.
    #[error("the transit engine answered with something else than a ciphertext")]
    Ciphertext,
}

/// What a server said about a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(pub(crate) Vec<String>);

/// The name of a K/V version in a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(pub(crate) EngineVersion);

// === impl Error ===

impl Error {
    /// Whether the server is not there, or not able to do anything.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::Transport(_) | Self::Sealed | Self::NotInitialised
        )
    }

    /// Whether no policy of the token allows the request, or the server takes no such
    /// login.
    #[must_use]
    pub fn is_denial(&self) -> bool {
        matches!(self, Self::Refused { status: 403, .. })
    }

    /// Whether the server refused for good: the same request would be refused again.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if (400..500).contains(status))
    }
}

impl fmt::Display for Reason {
    /// Vault writes lists over several lines, which a log has no room for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no reason given");
        }
        for (index, text) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            for (index, word) in text.split_whitespace().enumerate() {
                if index > 0 {
                    f.write_str(" ")?;
                }
                f.write_str(word)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            EngineVersion::V1 => "v1",
            EngineVersion::V2 => "v2",
        })
    }
}
