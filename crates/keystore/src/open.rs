use std::sync::Arc;

use keystead_config::kes::KeyStoreConfig;
use keystead_observe::Telemetry;

use crate::{Error, FileStore, KeyStore};

/// Opens the key store of a configuration. What a remote one does in the background
/// is told to `telemetry`.
///
/// # Errors
///
/// [`Error::NotBuilt`] for a store this program was built without, and what the
/// store says when it cannot be opened.
#[cfg_attr(
    not(any(
        feature = "aws",
        feature = "azure",
        feature = "gcp",
        feature = "keycontrol",
        feature = "remote",
        feature = "vault"
    )),
    expect(unused_variables, reason = "only remote stores have something to tell")
)]
pub async fn open(
    config: &KeyStoreConfig,
    telemetry: &Telemetry,
) -> Result<Arc<dyn KeyStore>, Error> {
    match config {
        KeyStoreConfig::Fs(fs) => shared(FileStore::open(&fs.path).await),
        #[cfg(feature = "aws")]
        KeyStoreConfig::AwsSecretsManager(aws) => {
            shared(crate::AwsStore::open(aws, telemetry.clone()).await)
        }
        #[cfg(feature = "azure")]
        KeyStoreConfig::AzureKeyVault(azure) => {
            shared(crate::AzureKeyVaultStore::open(azure, telemetry.clone()).await)
        }
        #[cfg(feature = "fortanix")]
        KeyStoreConfig::Fortanix(fortanix) => {
            shared(crate::FortanixStore::open(fortanix, telemetry.clone()).await)
        }
        #[cfg(feature = "gcp")]
        KeyStoreConfig::GcpSecretManager(gcp) => {
            shared(crate::GcpStore::open(gcp, telemetry.clone()).await)
        }
        #[cfg(feature = "keycontrol")]
        KeyStoreConfig::KeyControl(keycontrol) => {
            shared(crate::KeyControlStore::open(keycontrol, telemetry.clone()).await)
        }
        #[cfg(feature = "keysecure")]
        KeyStoreConfig::KeySecure(keysecure) => {
            shared(crate::KeySecureStore::open(keysecure, telemetry.clone()).await)
        }
        #[cfg(feature = "vault")]
        KeyStoreConfig::Vault(vault) => {
            shared(crate::VaultStore::open(vault, telemetry.clone()).await)
        }
        other => Err(Error::NotBuilt { name: other.name() }),
    }
}

fn shared<S: KeyStore>(store: Result<S, Error>) -> Result<Arc<dyn KeyStore>, Error> {
    Ok(Arc::new(store?))
}
