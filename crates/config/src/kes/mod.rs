//! The configuration file of a KES server.

mod address;
mod api;
mod cache;
mod compat;
mod keys;
mod keystore;
mod log;
mod name;
mod policy;
mod server;
mod tls;

pub use self::api::ApiConfig;
pub use self::cache::CacheConfig;
pub use self::compat::CompatConfig;
pub use self::keystore::{
    AwsCredentials, AwsSecretsManagerConfig, AzureCredentials, AzureKeyVaultConfig,
    ClientCertificate, ClientTlsConfig, EngineVersion, FortanixConfig, FsConfig, GcpCredentials,
    GcpSecretManagerConfig, KeyControlConfig, KeySecureConfig, KeyStoreConfig, VaultAuth,
    VaultConfig, VaultLogin, VaultTransit,
};
pub use self::log::LogConfig;
pub use self::policy::PolicyConfig;
pub use self::server::{Loaded, Overrides, ServerConfig};
pub use self::tls::{ClientAuth, ProxyConfig, TlsConfig};
