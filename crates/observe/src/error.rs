use std::io;

/// Why an observer could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The metrics library refused a family.
    #[error("metrics cannot be registered or encoded: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The operating system gave no thread for the writer of a log.
    #[error("the writer thread of a log cannot be started: {0}")]
    Writer(#[source] io::Error),
}
