//! The key stores that are vendors' services: AWS, GCP, Azure, Thales, Fortanix.

use std::{path::PathBuf, time::Duration};

use keystead_crypto::Secret;

use crate::{
    Error,
    read::{Expansion, Section},
};

/// `keystore.aws.secretsmanager`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsSecretsManagerConfig {
    /// Host name or URL.
    pub endpoint: String,
    /// AWS region.
    pub region: String,
    /// ID, ARN or alias of the KMS key; `None` is the account's default.
    pub kms_key: Option<String>,
    /// Fixed credentials; `None` is the standard credential chain.
    pub credentials: Option<AwsCredentials>,
}

/// Fixed AWS credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsCredentials {
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: Secret,
    /// Session token.
    pub token: Option<Secret>,
}

/// `keystore.gcp.secretmanager`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GcpSecretManagerConfig {
    /// Project id.
    pub project_id: String,
    /// Host with optional port, or URL.
    pub endpoint: String,
    /// OAuth 2.0 scopes, never empty.
    pub scopes: Vec<String>,
    /// Service account; `None` is the application default credentials.
    pub credentials: Option<GcpCredentials>,
}

/// A Google service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GcpCredentials {
    /// `client_email`
    pub client_email: String,
    /// `client_id`
    pub client_id: String,
    /// `private_key_id`
    pub private_key_id: String,
    /// PEM private key with real line breaks.
    pub private_key: Secret,
}

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
        /// `client_secret`
        client_secret: Secret,
    },
    /// A managed identity of the machine.
    ManagedIdentity {
        /// `client_id`
        client_id: String,
    },
}

/// `keystore.gemalto.keysecure` (Thales CipherTrust Manager)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySecureConfig {
    /// URL with scheme, as configured.
    pub endpoint: String,
    /// Refresh token.
    pub token: Secret,
    /// Domain; `None` is the root domain.
    pub domain: Option<String>,
    /// Delay between failed logins.
    pub retry: Duration,
    /// File or folder of PEM certificates that replaces the system's roots.
    pub ca: Option<PathBuf>,
}

/// `keystore.fortanix.sdkms`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FortanixConfig {
    /// URL with scheme, as configured.
    pub endpoint: String,
    /// Group of new keys.
    pub group_id: Option<String>,
    /// API key, sent as configured.
    pub key: Secret,
    /// File or folder of PEM certificates that replaces the system's roots.
    pub ca: Option<PathBuf>,
}

// === impl AwsSecretsManagerConfig ===

impl AwsSecretsManagerConfig {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let endpoint = section.require(
            "endpoint",
            section.text("endpoint"),
            "invalid AWS secretsmanager keystore: no endpoint specified",
            "write the host of the service, such as secretsmanager.us-east-2.amazonaws.com",
        );
        let region = section.require(
            "region",
            section.text("region"),
            "invalid AWS secretsmanager keystore: no region specified",
            "write the region, such as us-east-2",
        );
        let kms_key = section.text("kmskey");
        let credentials = section.section("credentials", AwsCredentials::read);
        Ok(Self {
            endpoint: endpoint?.value,
            region: region?.value,
            kms_key: kms_key.map(|field| field.value),
            credentials: credentials?,
        })
    }
}

// === impl AwsCredentials ===

impl AwsCredentials {
    /// Nothing given means the standard credential chain.
    fn read(section: &Section<'_>) -> Result<Option<Self>, Error> {
        let access_key = section.text("accesskey");
        let secret_key = section.secret("secretkey", "secretkey_file");
        let token = section.secret("token", "token_file");
        if access_key.is_none() && secret_key.is_none() && token.is_none() {
            return Ok(None);
        }
        let advice = "write accesskey and secretkey, or nothing for the standard credential chain";
        let access_key = section.require(
            "accesskey",
            access_key,
            "invalid AWS secretsmanager keystore: no access key specified",
            advice,
        );
        let secret_key = section.require(
            "secretkey",
            secret_key,
            "invalid AWS secretsmanager keystore: no secret key specified",
            advice,
        );
        Ok(Some(Self {
            access_key: access_key?.value,
            secret_key: secret_key?.value,
            token: token.map(|field| field.value),
        }))
    }
}

// === impl GcpSecretManagerConfig ===

impl GcpSecretManagerConfig {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let project_id = section.require(
            "project_id",
            section.text("project_id"),
            "invalid GCP secretmanager keystore: no project ID specified",
            "write the id of the Google Cloud project",
        );
        let endpoint = section.text("endpoint");
        let mut scopes: Vec<String> = section
            .texts("scopes", Expansion::Variables)
            .into_iter()
            .map(|field| field.value)
            .filter(|scope| !scope.is_empty())
            .collect();
        if scopes.is_empty() {
            scopes.push("https://www.googleapis.com/auth/cloud-platform".to_owned());
        }
        let credentials = section.section("credentials", GcpCredentials::read);
        Ok(Self {
            project_id: project_id?.value,
            endpoint: endpoint.map_or_else(
                || "secretmanager.googleapis.com:443".to_owned(),
                |field| field.value,
            ),
            scopes,
            credentials: credentials?,
        })
    }
}

// === impl GcpCredentials ===

impl GcpCredentials {
    /// Nothing given means the application default credentials.
    fn read(section: &Section<'_>) -> Result<Option<Self>, Error> {
        let client_email = section.text("client_email");
        let client_id = section.text("client_id");
        let private_key_id = section.text("private_key_id");
        let private_key = section.secret("private_key", "private_key_file");
        if client_email.is_none()
            && client_id.is_none()
            && private_key_id.is_none()
            && private_key.is_none()
        {
            return Ok(None);
        }
        let advice = "write client_email, client_id, private_key_id and private_key, or none of \
                      them for the application default credentials";
        let client_email = section.require(
            "client_email",
            client_email,
            "invalid GCP secretmanager keystore: no client email provided",
            advice,
        );
        let client_id = section.require(
            "client_id",
            client_id,
            "invalid GCP secretmanager keystore: no client ID provided",
            advice,
        );
        let private_key_id = section.require(
            "private_key_id",
            private_key_id,
            "invalid GCP secretmanager keystore: no private key ID provided",
            advice,
        );
        let private_key = section.require(
            "private_key",
            private_key,
            "invalid GCP secretmanager keystore: no private key provided",
            advice,
        );
        Ok(Some(Self {
            client_email: client_email?.value,
            client_id: client_id?.value,
            private_key_id: private_key_id?.value,
            private_key: Secret::new(private_key?.value.expose().replace("\\n", "\n")),
        }))
    }
}

// === impl AzureKeyVaultConfig ===

impl AzureKeyVaultConfig {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let endpoint = section.require(
            "endpoint",
            section.text("endpoint"),
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
            endpoint: endpoint?.value,
            credentials: secret
                .or(managed)
                .unwrap_or(Ok(AzureCredentials::Default))?,
        })
    }
}

// === impl AzureCredentials ===

impl AzureCredentials {
    fn client_secret(section: &Section<'_>) -> Result<Self, Error> {
        let tenant_id = section.require(
            "tenant_id",
            section.text("tenant_id"),
            "invalid Azure keyvault keystore: no tenant ID specified",
            "write the id of the directory",
        );
        let client_id = Self::client_id(section);
        let client_secret = section.require(
            "client_secret",
            section.secret("client_secret", "client_secret_file"),
            "invalid Azure keyvault keystore: no client secret specified",
            "write the application's secret, or name a file with it in client_secret_file",
        );
        Ok(Self::ClientSecret {
            tenant_id: tenant_id?.value,
            client_id: client_id?,
            client_secret: client_secret?.value,
        })
    }

    fn managed_identity(section: &Section<'_>) -> Result<Self, Error> {
        Ok(Self::ManagedIdentity {
            client_id: Self::client_id(section)?,
        })
    }

    fn client_id(section: &Section<'_>) -> Result<String, Error> {
        let field = section.require(
            "client_id",
            section.text("client_id"),
            "invalid Azure keyvault keystore: no client ID specified",
            "write the client id of the application or managed identity",
        )?;
        Ok(field.value)
    }
}

// === impl KeySecureConfig ===

impl KeySecureConfig {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let endpoint = section.require(
            "endpoint",
            section.text("endpoint"),
            "invalid gemalto keysecure keystore: no endpoint specified",
            "write the URL of the appliance, such as https://ciphertrust.example.net",
        );
        let (token, domain, retry) = section.section("credentials", |credentials| {
            let token = credentials.require(
                "token",
                credentials.secret("token", "token_file"),
                "invalid gemalto keysecure keystore: no token specified",
                "write the refresh token, or name a file with it in token_file",
            );
            let retry = credentials.interval("retry", |value| {
                format!("invalid gemalto keysecure keystore: invalid retry '{value}'")
            });
            (token, credentials.text("domain"), retry)
        });
        let ca = section.section("tls", |tls| tls.file("ca"));
        Ok(Self {
            endpoint: endpoint?.value,
            token: token?.value,
            domain: domain.map(|field| field.value),
            retry: retry.unwrap_or(Duration::from_secs(5)),
            ca: ca.map(|field| field.value),
        })
    }
}

// === impl FortanixConfig ===

impl FortanixConfig {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let endpoint = section.require(
            "endpoint",
            section.text("endpoint"),
            "invalid fortanix SDKMS keystore: no endpoint specified",
            "write the URL of the service, such as https://sdkms.fortanix.com",
        );
        let group_id = section.text("group_id");
        let key = section.section("credentials", |credentials| {
            credentials.require(
                "key",
                credentials.secret("key", "key_file"),
                "invalid fortanix SDKMS keystore: no API key specified",
                "write the API key, or name a file with it in key_file",
            )
        });
        let ca = section.section("tls", |tls| tls.file("ca"));
        Ok(Self {
            endpoint: endpoint?.value,
            group_id: group_id.map(|field| field.value),
            key: key?.value,
            ca: ca.map(|field| field.value),
        })
    }
}
