/// What this crate cannot read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no name.
    #[error("'{text}' is empty, too long or contains invalid characters")]
    Name {
        /// What was given.
        text: String,
    },
    /// The text is no list pattern.
    #[error("listing pattern '{text}' is empty, too long or is invalid")]
    ListPattern {
        /// What was given.
        text: String,
    },
    /// A server sent a document of another shape.
    #[error("invalid server response: {reason}")]
    Response {
        /// What is wrong with it, without its content.
        reason: &'static str,
    },
    /// A server broke a listing off with an error.
    #[error("{message}")]
    Listing {
        /// The server's text.
        message: String,
    },
}

// === impl Error ===

impl Error {
    /// Drops the position and any excerpt of the document: it may hold plaintext.
    pub(crate) fn response(error: &serde_json::Error) -> Self {
        let reason = match error.classify() {
            serde_json::error::Category::Eof => "the document is incomplete",
            serde_json::error::Category::Data => "the document has another shape",
            _ => "the document is not JSON",
        };
        Self::Response { reason }
    }
}
