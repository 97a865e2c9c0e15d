use std::sync::Arc;

use keystead_config::kes::KeyStoreConfig;
use keystead_keystore::{FileStore, KeyControlStore, KeyStore, VaultStore};
use keystead_observe::Telemetry;

use crate::Error;

/// Opens the key store of a configuration. What a remote one does in the background
/// is told to `telemetry`.
///
/// # Errors
///
/// [`Error::UnsupportedStore`] for a store this program has no back end for,
/// [`Error::Store`] if the store cannot be opened.
pub async fn open_store(
    config: &KeyStoreConfig,
    telemetry: &Telemetry,
) -> Result<Arc<dyn KeyStore>, Error> {
    match config {
        KeyStoreConfig::Fs(fs) => shared(FileStore::open(&fs.path).await),
        KeyStoreConfig::Vault(vault) => shared(VaultStore::open(vault, telemetry.clone()).await),
        KeyStoreConfig::KeyControl(keycontrol) => {
            shared(KeyControlStore::open(keycontrol, telemetry.clone()).await)
        }
        other => Err(Error::UnsupportedStore { name: name(other) }),
    }
}

fn shared<S: KeyStore>(
    store: Result<S, keystead_keystore::Error>,
) -> Result<Arc<dyn KeyStore>, Error> {
    Ok(Arc::new(store.map_err(Error::Store)?))
}

/// What the configuration file calls a store.
fn name(config: &KeyStoreConfig) -> &'static str {
    match config {
        KeyStoreConfig::Fs(_) => "fs",
        KeyStoreConfig::Vault(_) => "vault",
        KeyStoreConfig::Fortanix(_) => "fortanix.sdkms",
        KeyStoreConfig::KeySecure(_) => "gemalto.keysecure",
        KeyStoreConfig::GcpSecretManager(_) => "gcp.secretmanager",
        KeyStoreConfig::AwsSecretsManager(_) => "aws.secretsmanager",
        KeyStoreConfig::AzureKeyVault(_) => "azure.keyvault",
        KeyStoreConfig::KeyControl(_) => "entrust.keycontrol",
        _ => "unknown",
    }
}
