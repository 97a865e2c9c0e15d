use std::collections::BTreeSet;
use std::time::Duration;

/// What a test may change at any time.
#[derive(Clone, Debug)]
pub struct AzureSettings {
    /// The only tenant.
    pub tenant_id: String,
    /// The only application, and the only managed identity.
    pub client_id: String,
    /// The secret of the application.
    pub client_secret: String,
    /// The token of a Kubernetes service account that the application accepts.
    pub assertion: String,
    /// How long tokens live.
    pub token_life: Duration,
    /// What the identity must not do: `get`, `list`, `set`, `delete`, `purge`.
    pub denied: BTreeSet<&'static str>,
    /// The inner code of a denial.
    pub denial: &'static str,
    /// The most entries of a page.
    pub page: usize,
    /// Whether the list of versions of an absent secret is a 404; otherwise it is empty.
    pub absent_is_404: bool,
    /// So long after its writing a version is seen.
    pub lag: Duration,
    /// So many times a deleted secret is "being deleted" before it can be purged.
    pub polls_to_delete: usize,
    /// So many times a purged secret is "being deleted" before its name is free.
    pub polls_to_purge: usize,
    /// So many requests to the vault are answered 429.
    pub throttled: usize,
    /// What a 429 asks to wait.
    pub retry_after: Option<&'static str>,
    /// Whether a list never ends.
    pub repeats_pages: bool,
}

impl Default for AzureSettings {
    fn default() -> Self {
        Self {
            tenant_id: "7b795fb9-09d3-42f4-a494-38864f99ba3c".into(),
            client_id: "ac955d5b-2e0d-4d9a-ae23-6ddb8b0bd1a5".into(),
            client_secret: "8Q~c0rrect+h0rse/battery~staple".into(),
            assertion: "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJrZXMifQ.c2lnbmF0dXJl".into(),
            token_life: Duration::from_secs(3_599),
            denied: BTreeSet::new(),
            denial: "ForbiddenByRbac",
            page: 25,
            absent_is_404: false,
            lag: Duration::ZERO,
            polls_to_delete: 0,
            polls_to_purge: 0,
            throttled: 0,
            retry_after: Some("1"),
            repeats_pages: false,
        }
    }
}
