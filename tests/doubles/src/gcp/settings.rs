use std::time::Duration;

/// What can be different from one project to another.
#[derive(Clone, Debug)]
pub struct GcpSettings {
    /// The id of the project. It has a number, too, which names in answers have.
    pub project_id: String,
    /// The most secrets in a page of a list, whatever is asked for.
    pub page_size: usize,
    /// How long tokens of the token endpoints live.
    pub token_life: Duration,
    /// The permissions that the caller lacks, such as `secretmanager.secrets.create`.
    pub denied: Vec<&'static str>,
    /// Whether the service account and the user are known, and enabled.
    pub enabled: bool,
    /// Whether the API is enabled in the project.
    pub api_enabled: bool,
}

// === impl GcpSettings ===

impl Default for GcpSettings {
    fn default() -> Self {
        Self {
            project_id: "my-project".into(),
            page_size: 25_000,
            token_life: Duration::from_secs(3600),
            denied: Vec::new(),
            enabled: true,
            api_enabled: true,
        }
    }
}
