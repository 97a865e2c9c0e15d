use std::sync::Arc;

use keystead_config::kes::KeyStoreConfig;
use keystead_keystore::KeyStore;
use keystead_observe::Telemetry;

use crate::Error;

/// Opens the key store of a configuration. What a remote one does in the background
/// is told to `telemetry`.
///
/// # Errors
///
/// [`Error::Store`] if the store cannot be opened.
pub async fn open_store(
    config: &KeyStoreConfig,
    telemetry: &Telemetry,
) -> Result<Arc<dyn KeyStore>, Error> {
    keystead_keystore::open(config, telemetry)
        .await
        .map_err(Error::Store)
}
