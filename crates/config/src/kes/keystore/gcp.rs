//! `keystore.gcp.secretmanager`

use keystead_crypto::Secret;

use crate::{
    Error,
    read::{Expansion, Section},
};

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

// === impl GcpSecretManagerConfig ===

impl GcpSecretManagerConfig {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let project_id = section.required(
            "project_id",
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
            project_id: project_id?,
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
