//! `keystore.fortanix.sdkms`

use std::path::PathBuf;

use crate::{Error, SecretSource, read::Section};

/// `keystore.fortanix.sdkms`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FortanixConfig {
    /// URL with scheme, as configured.
    pub endpoint: String,
    /// Group of new keys.
    pub group_id: Option<String>,
    /// API key, sent as configured.
    pub key: SecretSource,
    /// File or folder of PEM certificates that replaces the system's roots.
    pub ca: Option<PathBuf>,
}

// === impl FortanixConfig ===

impl FortanixConfig {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let endpoint = section.required(
            "endpoint",
            "invalid fortanix SDKMS keystore: no endpoint specified",
            "write the URL of the service, such as https://sdkms.fortanix.com",
        );
        let group_id = section.text("group_id");
        let key = section.section("credentials", |credentials| {
            credentials.required_secret_source(
                "key",
                "key_file",
                "invalid fortanix SDKMS keystore: no API key specified",
                "write the API key, or name a file with it in key_file",
            )
        });
        if let Ok(endpoint) = &endpoint
            && endpoint.starts_with("http://")
        {
            let message = "the API key is sent unencrypted; use https";
            section.warn(section.place_of("endpoint"), message);
        }
        let ca = section.section("tls", |tls| tls.file("ca"));
        Ok(Self {
            endpoint: endpoint?,
            group_id: group_id.map(|field| field.value),
            key: key?,
            ca: ca.map(|field| field.value),
        })
    }
}
