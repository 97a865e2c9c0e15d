use std::env;
use std::sync::Arc;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::Secret;
use azure_core::http::Url;

/// What the environment of the process says about Azure, under the names that all of
/// its client libraries know.
#[derive(Clone, Default)]
pub(super) struct Surroundings {
    /// `AZURE_AUTHORITY_HOST`: where tokens come from, if not from the public cloud.
    pub(super) authority: Option<String>,
    /// `AZURE_POD_IDENTITY_AUTHORITY_HOST`: stands in for the instance metadata service.
    pub(super) metadata: Option<String>,
    /// `AZURE_TENANT_ID`
    pub(super) tenant_id: Option<String>,
    /// `AZURE_CLIENT_ID`
    pub(super) client_id: Option<String>,
    /// `AZURE_CLIENT_SECRET`
    pub(super) client_secret: Option<Secret>,
    /// `AZURE_FEDERATED_TOKEN_FILE`
    pub(super) token_file: Option<String>,
}

// === impl Surroundings ===

impl Surroundings {
    pub(super) fn of_process() -> Self {
        let variable = |name| {
            env::var(name)
                .ok()
                .filter(|value: &String| !value.is_empty())
        };
        Self {
            authority: variable("AZURE_AUTHORITY_HOST"),
            metadata: variable("AZURE_POD_IDENTITY_AUTHORITY_HOST").map(|url| {
                let origin = url
                    .parse()
                    .map(|url: Url| url.origin().ascii_serialization());
                origin.unwrap_or(url)
            }),
            tenant_id: variable("AZURE_TENANT_ID"),
            client_id: variable("AZURE_CLIENT_ID"),
            client_secret: variable("AZURE_CLIENT_SECRET").map(Secret::new),
            token_file: variable("AZURE_FEDERATED_TOKEN_FILE"),
        }
    }

    /// The cloud that logins go to.
    pub(super) fn cloud(&self) -> Option<Arc<CloudConfiguration>> {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host = self.authority.clone()?;
        Some(Arc::new(cloud.into()))
    }
}
