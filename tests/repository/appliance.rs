//! A double in place of the KeyControl appliance that the documentation speaks of.

use std::fs;
use std::path::Path;

use anyhow::Result;
use keystead_doubles::{Authority, KeyControl, KeyControlSettings, Server, Tls};
use tokio::runtime::Runtime;

/// Where the appliance of the documentation is.
const DOCUMENTED: &str = "https://keycontrol.example.net";

pub(crate) struct Appliance {
    node: Server,
    _runtime: Runtime,
}

impl Appliance {
    /// Starts the double, with the files in `folder` that its users need, if `text` has
    /// commands for it.
    pub(crate) fn of(text: &str, folder: &Path) -> Result<Option<Self>> {
        if !text.contains(DOCUMENTED) {
            return Ok(None);
        }
        let runtime = Runtime::new()?;
        let settings = KeyControlSettings::default();
        fs::write(folder.join("keycontrol-password"), &settings.password)?;
        let authority = Authority::new()?;
        fs::copy(authority.file(), folder.join("keycontrol-ca.crt"))?;
        let appliance = KeyControl::new(settings);
        Ok(Some(Self {
            node: runtime.block_on(appliance.node(1, &authority, Tls::On))?,
            _runtime: runtime,
        }))
    }

    /// `text` with the address of the double.
    pub(crate) fn fill_in(&self, text: &str) -> String {
        text.replace(DOCUMENTED, &self.node.url())
    }
}
