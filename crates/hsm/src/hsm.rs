use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::Error;

/// Something that seals a few bytes with a key it does not give away: a hardware
/// module, a remote key manager, or [`SoftHsm`](crate::SoftHsm).
///
/// Calls end within a time of their own; none of them waits for ever.
#[async_trait]
pub trait Hsm: Send + Sync {
    /// The name in entries, commands, logs and metrics, such as `hsm:minio:soft` (D6).
    fn name(&self) -> &str;

    /// Seals `plaintext`. An HSM that takes associated data binds the result to
    /// `context`; the others ignore it.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Refused`].
    async fn seal(&self, plaintext: &[u8], context: &[u8]) -> Result<Vec<u8>, Error>;

    /// The inverse of [`seal`](Self::seal).
    ///
    /// # Errors
    /// [`Error::NotAuthentic`] if it answers and the bytes are not what it sealed, with
    /// this context and with a key that it still has; [`Error::Unavailable`],
    /// [`Error::Refused`].
    async fn unseal(&self, sealed: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error>;

    /// Whether sealing would work now.
    ///
    /// # Errors
    /// Those of [`seal`](Self::seal).
    async fn probe(&self) -> Result<(), Error>;

    /// Ends sessions and background work. Later calls may fail.
    async fn close(&self) {}
}
