//! The state of a server, opened with what the operator gave it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use keystead_config::ProcessEnvironment;
use keystead_config::kms::ServerConfig;
use keystead_crypto::{Cipher, Mode, SystemRandom};
use keystead_hsm::{Hsm, HsmKey, SoftHsm};
use keystead_identity::KmsIdentity;
use keystead_store::{Opened, Options, Store};

use super::banner::KeyHint;

/// Everything that opens the state.
pub(super) struct Keys {
    soft: Option<HsmKey>,
    /// What the operator should mend.
    pub(super) warning: Option<String>,
}

// === impl Keys ===

impl Keys {
    /// A key that nobody else has.
    pub(super) fn random() -> Result<Self> {
        Ok(Self {
            soft: Some(HsmKey::generate(Cipher::Aes256, &SystemRandom)?),
            warning: None,
        })
    }

    /// What configuration and environment say.
    pub(super) fn find(config: &ServerConfig) -> Result<Self> {
        if let Some(hsm) = config.hsms.first() {
            let path = hsm.name().replace(':', ".");
            bail!(
                "{path}: this kind of HSM is not built yet. Remove the section and set \
                 MINIO_KMS_HSM_KEY"
            );
        }
        let Some(found) = HsmKey::find(&ProcessEnvironment, Mode::Standard)? else {
            bail!(
                "kms: no HSM provided\n  Set MINIO_KMS_HSM_KEY to the key that this server was \
                 initialised with, or name a file with it in MINIO_KMS_HSM_KEY_FILE.\n  For a \
                 new server 'minkms --soft-hsm' generates one"
            );
        };
        Ok(Self {
            warning: found.warning.map(|warning| warning.to_string()),
            soft: Some(found.key),
        })
    }

    /// Opens the state, or makes it.
    pub(super) async fn open(
        &self,
        folder: &Path,
        host: String,
        config: &ServerConfig,
    ) -> Result<Opened> {
        let mut hsms: Vec<Arc<dyn Hsm>> = Vec::new();
        if let Some(key) = &self.soft {
            hsms.push(Arc::new(SoftHsm::new(key, Arc::new(SystemRandom))?));
        }
        let mut options = Options::new(folder.to_owned(), host, hsms);
        options.admin = config.admin;
        options.root_api_key = self.soft.as_ref().map(root_key).transpose()?;
        options.heartbeat = config.cluster.heartbeat;
        let opened = Store::open(options).await;
        opened.with_context(|| format!("failed to open '{}'", folder.display()))
    }

    /// Where the API key of `root` is found.
    pub(super) fn hint(&self, root: KmsIdentity, config: &ServerConfig) -> KeyHint {
        if config.admin.is_some() {
            return KeyHint::Configured;
        }
        let derived = self.soft.as_ref().and_then(|key| root_key(key).ok());
        match derived {
            Some(key) if key.identity() == root => KeyHint::SoftHsm,
            _ => KeyHint::ShownOnce,
        }
    }
}

fn root_key(key: &HsmKey) -> Result<keystead_identity::KmsApiKey> {
    Ok(key.root_api_key(Mode::Standard)?)
}
