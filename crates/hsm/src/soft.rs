use std::sync::Arc;

use async_trait::async_trait;
use keystead_crypto::{Random, Sealer};
use zeroize::Zeroizing;

use crate::{Error, Hsm, HsmKey};

/// An HSM in this process: seals with a key that the operator keeps (D5).
///
/// Sealed bytes have the layout of a data ciphertext, 44 bytes more than the plaintext,
/// under `HKDF-SHA-256[HSM key]("", "keystead/minkms/v1/hsm/seal-aes256")` or
/// `…/seal-chacha20`.
pub struct SoftHsm {
    sealer: Sealer,
    random: Arc<dyn Random>,
}

impl SoftHsm {
    /// Its name in entries, commands, logs and metrics.
    pub const NAME: &str = "hsm:minio:soft";

    /// The HSM of a key.
    ///
    /// # Errors
    /// [`Error::Crypto`] if the key derivation fails, which it does for no key.
    pub fn new(key: &HsmKey, random: Arc<dyn Random>) -> Result<Self, Error> {
        Ok(Self {
            sealer: key.sealer()?,
            random,
        })
    }
}

#[async_trait]
impl Hsm for SoftHsm {
    fn name(&self) -> &str {
        Self::NAME
    }

    async fn seal(&self, plaintext: &[u8], context: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.sealer.seal(&*self.random, plaintext, context)?)
    }

    async fn unseal(&self, sealed: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.sealer
            .open(sealed, context)
            .map_err(|_| Error::NotAuthentic)
    }

    async fn probe(&self) -> Result<(), Error> {
        Ok(())
    }
}
