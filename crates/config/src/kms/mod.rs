//! The configuration file of a MinIO KMS server.
//!
//! The file is read strictly: a key that means nothing is a fault with the nearest key
//! that does. What the documentation of the product writes in two ways is accepted with
//! a warning (MinIO KMS protocol, decisions 0.8).

mod cluster;
mod hsm;
mod identity;
mod log;
mod metrics;
mod server;
mod tls;

pub use self::cluster::{ClusterConfig, StaleReads};
pub use self::hsm::{
    HsmConfig, KeyControlFields, KeyControlHsmConfig, MinKmsHsmConfig, Pkcs11HsmConfig,
    Pkcs11Mechanism, Pkcs11Slot, VaultHsmAuth, VaultHsmConfig,
};
pub use self::log::{LogConfig, LogFormat, LogTarget};
pub use self::metrics::MetricsConfig;
pub use self::server::{Loaded, ServerConfig};
pub use self::tls::{CertificateConfig, TlsConfig};
