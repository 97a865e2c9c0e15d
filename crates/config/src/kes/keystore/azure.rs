//! `keystore.azure.keyvault`

use crate::{Error, SecretSource, read::Section};

/// `keystore.azure.keyvault`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzureKeyVaultConfig {
    /// URL with scheme, as configured.
    pub endpoint: String,
    /// How the server logs in.
    pub credentials: AzureCredentials,
}

/// How to log in to Azure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AzureCredentials {
    /// The default credential chain.
    Default,
    /// An application with a client secret.
    ClientSecret {
        /// `tenant_id`
        tenant_id: String,
        /// `client_id`
        client_id: String,
        /// `client_secret` or `client_secret_file`
        client_secret: SecretSource,
    },
    /// A managed identity of the machine.
    ManagedIdentity {
        /// `client_id`
        client_id: String,
    },
}

// === impl AzureKeyVaultConfig ===

impl AzureKeyVaultConfig {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let endpoint = section.required(
            "endpoint",
            "invalid Azure keyvault keystore: no endpoint specified",
            "write the URL of the vault, such as https://my-vault.vault.azure.net",
        );
        if section.has("credentials") && section.has("managed_identity") {
            section.wrong_here(
                "invalid Azure keyvault keystore: more than one authentication method specified",
                "keep either credentials or managed_identity",
            );
        }
        let secret = section.optional("credentials", AzureCredentials::client_secret);
        let managed = section.optional("managed_identity", AzureCredentials::managed_identity);
        Ok(Self {
            endpoint: endpoint?,
            credentials: secret
                .or(managed)
                .unwrap_or(Ok(AzureCredentials::Default))?,
        })
    }
}

// === impl AzureCredentials ===

impl AzureCredentials {
    fn client_secret(section: &Section<'_>) -> Result<Self, Error> {
        let tenant_id = section.required(
            "tenant_id",
            "invalid Azure keyvault keystore: no tenant ID specified",
            "write the id of the directory",
        );
        let client_id = Self::client_id(section);
        let client_secret = section.required_secret_source(
            "client_secret",
            "client_secret_file",
            "invalid Azure keyvault keystore: no client secret specified",
            "write the application's secret, or name a file with it in client_secret_file",
        );
        Ok(Self::ClientSecret {
            tenant_id: tenant_id?,
            client_id: client_id?,
            client_secret: client_secret?,
        })
    }

    fn managed_identity(section: &Section<'_>) -> Result<Self, Error> {
        Ok(Self::ManagedIdentity {
            client_id: Self::client_id(section)?,
        })
    }

    fn client_id(section: &Section<'_>) -> Result<String, Error> {
        section.required(
            "client_id",
            "invalid Azure keyvault keystore: no client ID specified",
            "write the client id of the application or managed identity",
        )
    }
}
