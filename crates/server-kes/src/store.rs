use std::sync::Arc;

use keystead_config::kes::KeyStoreConfig;
use keystead_keystore::{FileStore, KeyStore};

use crate::Error;

/// Opens the key store of a configuration.
///
/// # Errors
///
/// [`Error::UnsupportedStore`] for a store this program has no back end for,
/// [`Error::Store`] if the store cannot be opened.
pub async fn open_store(config: &KeyStoreConfig) -> Result<Arc<dyn KeyStore>, Error> {
    match config {
        KeyStoreConfig::Fs(fs) => Ok(Arc::new(
            FileStore::open(&fs.path).await.map_err(Error::Store)?,
        )),
        other => Err(Error::UnsupportedStore { name: name(other) }),
    }
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
