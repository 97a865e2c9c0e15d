//! `keystore.gemalto.keysecure`

use std::{path::PathBuf, time::Duration};

use crate::{Error, SecretSource, read::Section};

/// `keystore.gemalto.keysecure` (Thales CipherTrust Manager)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySecureConfig {
    /// URL with scheme, as configured.
    pub endpoint: String,
    /// Refresh token.
    pub token: SecretSource,
    /// Domain; `None` is the root domain.
    pub domain: Option<String>,
    /// Delay between failed logins.
    pub retry: Duration,
    /// File or folder of PEM certificates that replaces the system's roots.
    pub ca: Option<PathBuf>,
}

// === impl KeySecureConfig ===

impl KeySecureConfig {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let endpoint = section.required(
            "endpoint",
            "invalid gemalto keysecure keystore: no endpoint specified",
            "write the URL of the appliance, such as https://ciphertrust.example.net",
        );
        let (token, domain, retry) = section.section("credentials", |credentials| {
            let token = credentials.required_secret_source(
                "token",
                "token_file",
                "invalid gemalto keysecure keystore: no token specified",
                "write the refresh token, or name a file with it in token_file",
            );
            let retry = credentials.interval("retry", |value| {
                format!("invalid gemalto keysecure keystore: invalid retry '{value}'")
            });
            (token, credentials.text("domain"), retry)
        });
        if let Ok(endpoint) = &endpoint
            && endpoint.starts_with("http://")
        {
            let message = "the refresh token is sent unencrypted; use https";
            section.warn(section.place_of("endpoint"), message);
        }
        let ca = section.section("tls", |tls| tls.file("ca"));
        Ok(Self {
            endpoint: endpoint?,
            token: token?,
            domain: domain.map(|field| field.value),
            retry: retry.unwrap_or(Duration::from_secs(5)),
            ca: ca.map(|field| field.value),
        })
    }
}
