use std::collections::BTreeMap;
use std::time::Duration;

use keystead_config::kes::ApiConfig;
use keystead_wire_kes::{Api, ApiError, ApiInfo, Auth, ENDPOINTS, Endpoint};

/// An endpoint as the configuration has it.
pub(crate) struct Route {
    pub(crate) endpoint: &'static Endpoint,
    /// What is asked of the caller, after `skip_auth`.
    pub(crate) auth: Auth,
    /// Time for the answer; zero for the endless log streams.
    pub(crate) timeout: Duration,
}

/// All endpoints with the settings of the `api` section of a configuration.
pub(crate) fn routes(api: &BTreeMap<String, ApiConfig>) -> impl Iterator<Item = Route> {
    ENDPOINTS.iter().map(|endpoint| {
        let config = api.get(endpoint.path).copied().unwrap_or_default();
        Route {
            endpoint,
            auth: if config.skip_auth && endpoint.may_skip_auth {
                Auth::None
            } else {
                endpoint.auth
            },
            timeout: config.timeout.unwrap_or(endpoint.timeout),
        }
    })
}

// === impl Route ===

impl Route {
    /// What `/v1/api` tells.
    pub(crate) fn info(&self) -> ApiInfo {
        ApiInfo {
            timeout: self.timeout.as_secs(),
            ..ApiInfo::from(self.endpoint)
        }
    }

    /// The answer if the body has not arrived when the time is up (decision D10).
    pub(crate) fn late(&self) -> ApiError {
        match self.endpoint.api {
            Api::ImportKey => ApiError::CREATE_KEY_FAILED,
            _ => ApiError::READ_KEY_FAILED,
        }
    }

    /// Whether metrics count the requests (KES protocol, section 8.3).
    pub(crate) fn is_counted(&self) -> bool {
        ["/v1/key/", "/v1/policy/", "/v1/identity/"]
            .iter()
            .any(|group| self.endpoint.path.starts_with(group))
    }

    /// Whether the audit log has the requests (decision D24).
    pub(crate) fn is_audited(&self) -> bool {
        !matches!(
            self.endpoint.api,
            Api::Ready | Api::Metrics | Api::ErrorLog | Api::AuditLog
        )
    }
}
