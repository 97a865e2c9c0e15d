//! A double in place of the Azure that the documentation speaks of.

use std::fs;
use std::path::Path;

use anyhow::Result;
use keystead_doubles::{Authority, Azure, AzureSettings, Server};
use tokio::runtime::Runtime;

/// Where tokens come from. A document that has commands for Azure says so.
const LOGIN: &str = "https://login.microsoftonline.com";

/// The vault of the documentation.
const VAULT: &str = "https://my-vault.vault.azure.net";

pub(crate) struct Cloud {
    vault: Server,
    login: Server,
    _runtime: Runtime,
}

// === impl Cloud ===

impl Cloud {
    /// Starts the double, with the files in `folder` that its users need, if `text` has
    /// commands for it.
    pub(crate) fn of(text: &str, folder: &Path) -> Result<Option<Self>> {
        if !text.contains(&format!("$ export AZURE_AUTHORITY_HOST={LOGIN}")) {
            return Ok(None);
        }
        let runtime = Runtime::new()?;
        let settings = AzureSettings::default();
        fs::write(folder.join("client-secret"), &settings.client_secret)?;
        let authority = Authority::new()?;
        fs::copy(authority.file(), folder.join("azure-ca.crt"))?;
        let azure = Azure::new(settings);
        Ok(Some(Self {
            vault: runtime.block_on(azure.vault(&authority))?,
            login: runtime.block_on(azure.login(&authority))?,
            _runtime: runtime,
        }))
    }

    /// `text` with the addresses of the double, whose authority the server trusts.
    pub(crate) fn fill_in(&self, text: &str) -> String {
        text.replace(VAULT, &self.vault.url())
            .replace(LOGIN, &self.login.url())
            .replace("$ kes server", "$ SSL_CERT_FILE=azure-ca.crt kes server")
    }
}
