use crate::Error;

/// A source of bytes that nobody can predict.
///
/// Passed to whatever needs randomness, so that tests can replay a run.
pub trait Random: Send + Sync {
    /// Fills `out` completely.
    ///
    /// # Errors
    /// [`Error::NoRandomness`] if the source failed.
    fn fill(&self, out: &mut [u8]) -> Result<(), Error>;
}

/// The cryptographic generator of the process, seeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, out: &mut [u8]) -> Result<(), Error> {
        aws_lc_rs::rand::fill(out).map_err(|_| Error::NoRandomness)
    }
}
