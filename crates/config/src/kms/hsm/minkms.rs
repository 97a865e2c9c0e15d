//! `hsm.minio.minkms`

use crate::{Error, SecretSource, read::Section};

/// A key of another MinIO KMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinKmsHsmConfig {
    /// Its servers, each `[https://]HOST[:PORT]`; at least one.
    pub servers: Vec<String>,
    /// The enclave of the key.
    pub enclave: String,
    /// The name of the key.
    pub key: String,
    /// The API key of an identity that may encrypt and decrypt with it.
    pub api_key: SecretSource,
}

impl MinKmsHsmConfig {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let servers = section.several("server");
        let first = section.require(
            "server",
            servers.first().cloned(),
            "invalid minkms HSM: no server specified",
            "write the servers of the other MinIO KMS, such as kms0.example.net:7373",
        );
        let enclave = section.required(
            "enclave",
            "invalid minkms HSM: no enclave specified",
            "write the enclave of the key on the other MinIO KMS",
        );
        let key = section.required(
            "key",
            "invalid minkms HSM: no key specified",
            "write the name of the key on the other MinIO KMS",
        );
        let api_key = section.section("auth", |auth| {
            auth.required_secret_source(
                "key",
                "key_file",
                "invalid minkms HSM: no API key specified",
                "write the API key of an identity that may encrypt and decrypt with the key, \
                 or name a file with it in key_file",
            )
        });
        first?;
        Ok(Self {
            servers: servers.into_iter().map(|field| field.value).collect(),
            enclave: enclave?,
            key: key?,
            api_key: api_key?,
        })
    }
}
