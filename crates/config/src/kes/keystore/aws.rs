//! `keystore.aws.secretsmanager`

use crate::{Error, SecretSource, read::Section};

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
    pub secret_key: SecretSource,
    /// Session token.
    pub token: Option<SecretSource>,
}

// === impl AwsSecretsManagerConfig ===

impl AwsSecretsManagerConfig {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let endpoint = section.required(
            "endpoint",
            "invalid AWS secretsmanager keystore: no endpoint specified",
            "write the host of the service, such as secretsmanager.us-east-2.amazonaws.com",
        );
        let region = section.required(
            "region",
            "invalid AWS secretsmanager keystore: no region specified",
            "write the region, such as us-east-2",
        );
        if let Ok(endpoint) = &endpoint
            && endpoint.starts_with("http://")
        {
            let message = "keys and session tokens are sent unencrypted; use https";
            section.warn(section.place_of("endpoint"), message);
        }
        let kms_key = section.text("kmskey");
        let credentials = section.section("credentials", AwsCredentials::read);
        Ok(Self {
            endpoint: endpoint?,
            region: region?,
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
        let secret_key = section.secret_source("secretkey", "secretkey_file");
        let token = section.secret_source("token", "token_file");
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
