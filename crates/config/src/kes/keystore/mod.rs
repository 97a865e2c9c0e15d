//! The key stores a server can be put on, one type per section of `keystore`.

mod aws;
mod azure;
mod fortanix;
mod gcp;
mod keycontrol;
mod keysecure;
mod vault;

use std::path::PathBuf;

use crate::{Error, SecretSource, read::Section};

pub use self::aws::{AwsCredentials, AwsSecretsManagerConfig};
pub use self::azure::{AzureCredentials, AzureKeyVaultConfig};
pub use self::fortanix::FortanixConfig;
pub use self::gcp::{GcpCredentials, GcpSecretManagerConfig};
pub use self::keycontrol::KeyControlConfig;
pub use self::keysecure::KeySecureConfig;
pub use self::vault::{EngineVersion, VaultAuth, VaultConfig, VaultLogin, VaultTransit};

/// The one key store of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyStoreConfig {
    /// `keystore.fs`
    Fs(FsConfig),
    /// `keystore.vault`
    Vault(Box<VaultConfig>),
    /// `keystore.fortanix.sdkms`
    Fortanix(FortanixConfig),
    /// `keystore.gemalto.keysecure`
    KeySecure(KeySecureConfig),
    /// `keystore.gcp.secretmanager`
    GcpSecretManager(GcpSecretManagerConfig),
    /// `keystore.aws.secretsmanager`
    AwsSecretsManager(AwsSecretsManagerConfig),
    /// `keystore.azure.keyvault`
    AzureKeyVault(AzureKeyVaultConfig),
    /// `keystore.entrust.keycontrol`
    KeyControl(KeyControlConfig),
}

/// A folder of the local file system, one file per key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FsConfig {
    /// The folder, relative to the working directory of the process.
    pub path: PathBuf,
}

/// How a key store client authenticates itself and its server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientTlsConfig {
    /// PEM certificate chain and private key of the client.
    pub identity: Option<ClientCertificate>,
    /// PEM certificates, or a file or folder of them, that replace the system's roots.
    pub ca: Option<SecretSource>,
}

/// A client certificate, in files or written in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// PEM certificate chain, leaf first.
    pub cert: SecretSource,
    /// PEM private key.
    pub key: SecretSource,
}

/// Every store in the order in which the original looks for them: section,
/// section below it, reader.
const STORES: [(&str, Option<&str>, Read); 8] = [
    ("fs", None, |section| {
        FsConfig::read(section).map(KeyStoreConfig::Fs)
    }),
    ("vault", None, |section| {
        let vault = VaultConfig::read(section)?;
        Ok(KeyStoreConfig::Vault(Box::new(vault)))
    }),
    ("fortanix", Some("sdkms"), |section| {
        FortanixConfig::read(section).map(KeyStoreConfig::Fortanix)
    }),
    ("gemalto", Some("keysecure"), |section| {
        KeySecureConfig::read(section).map(KeyStoreConfig::KeySecure)
    }),
    ("gcp", Some("secretmanager"), |section| {
        GcpSecretManagerConfig::read(section).map(KeyStoreConfig::GcpSecretManager)
    }),
    ("aws", Some("secretsmanager"), |section| {
        AwsSecretsManagerConfig::read(section).map(KeyStoreConfig::AwsSecretsManager)
    }),
    ("azure", Some("keyvault"), |section| {
        AzureKeyVaultConfig::read(section).map(KeyStoreConfig::AzureKeyVault)
    }),
    ("entrust", Some("keycontrol"), |section| {
        KeyControlConfig::read(section).map(KeyStoreConfig::KeyControl)
    }),
];

type Read = fn(&Section<'_>) -> Result<KeyStoreConfig, Error>;

/// Stores that only old releases could use.
const FORMER: [&str; 2] = ["kes", "generic"];

// === impl KeyStoreConfig ===

impl KeyStoreConfig {
    /// Where the store stands in the configuration file, below `keystore`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fs(_) => "fs",
            Self::Vault(_) => "vault",
            Self::Fortanix(_) => "fortanix.sdkms",
            Self::KeySecure(_) => "gemalto.keysecure",
            Self::GcpSecretManager(_) => "gcp.secretmanager",
            Self::AwsSecretsManager(_) => "aws.secretsmanager",
            Self::AzureKeyVault(_) => "azure.keyvault",
            Self::KeyControl(_) => "entrust.keycontrol",
        }
    }

    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let mut found = None;
        for (key, product, read) in STORES {
            let second = found.is_some();
            let take = |store: &Section<'_>| {
                if second {
                    store.wrong_here(
                        "invalid keystore config: more than once keystore specified",
                        "keep one key store",
                    );
                }
                read(store)
            };
            let store = match product {
                None => section.optional(key, take),
                Some(product) => section.section(key, |vendor| vendor.optional(product, take)),
            };
            found = found.or(store);
        }
        for key in FORMER.into_iter().filter(|key| section.has(key)) {
            let message = format!("keystore '{key}' is no longer supported");
            let place = section.place_of(key);
            match found {
                Some(_) => section.warn(place, message),
                None => return Err(section.wrong(&place, message, "configure another key store")),
            }
        }
        found.unwrap_or_else(|| {
            Err(section.wrong_here(
                "no keystore specified",
                "configure one, such as 'keystore: { fs: { path: ./keys } }'; \
                 for a store in memory start with --dev",
            ))
        })
    }
}

// === impl FsConfig ===

impl FsConfig {
    fn read(section: &Section<'_>) -> Result<Self, Error> {
        let path = section.required(
            "path",
            "invalid fs keystore: no path specified",
            "write the path of a folder for the keys",
        )?;
        Ok(Self {
            path: PathBuf::from(path),
        })
    }
}

// === impl ClientTlsConfig ===

impl ClientTlsConfig {
    /// Reads `key`, `cert` and `ca`; `store` is the name in messages.
    fn read(section: &Section<'_>, store: &str) -> Self {
        let key = section.pem("key");
        let cert = section.pem("cert");
        let ca = section.pem("ca");
        let identity = match (key, cert) {
            (Some(key), Some(cert)) => Some(ClientCertificate { cert, key }),
            (None, None) => None,
            (Some(_), None) => {
                let message = format!("invalid {store} keystore: no TLS certificate provided");
                section.wrong(
                    &section.place_of("cert"),
                    message,
                    "write key and cert, or neither",
                );
                None
            }
            (None, Some(_)) => {
                let message = format!("invalid {store} keystore: no TLS private key provided");
                section.wrong(
                    &section.place_of("key"),
                    message,
                    "write key and cert, or neither",
                );
                None
            }
        };
        Self { identity, ca }
    }
}
