//! `api`

use std::{collections::BTreeMap, time::Duration};

use keystead_wire_kes::{ENDPOINTS, Endpoint};

use crate::read::{Field, Section, nearest};

/// `api.<path>`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApiConfig {
    /// Clients need no certificate on this path.
    pub skip_auth: bool,
    /// Replaces the default time limit of the path.
    pub timeout: Option<Duration>,
}

/// The settings of the known paths; unknown ones are warned about (KES
/// protocol, D22).
pub(super) fn read(root: &Section<'_>) -> BTreeMap<String, ApiConfig> {
    let apis = root.named("api", |path, section| {
        let Field { value: path, place } = path;
        let timeout = section.interval("timeout", |value| {
            format!("invalid timeout '{value}' for API '{path}'")
        });
        let skip_auth = section.truth("skip_auth");
        let Some(endpoint) = Endpoint::of_path(&path) else {
            let message = match nearest(&path, ENDPOINTS.iter().map(|endpoint| endpoint.path)) {
                Some(known) => format!("unknown API path, ignored; did you mean '{known}'?"),
                None => "unknown API path, ignored".to_owned(),
            };
            section.warn(place, message);
            return None;
        };
        let skip_auth = skip_auth.filter(|field| field.value);
        if let Some(field) = &skip_auth
            && !endpoint.may_skip_auth
        {
            let message =
                format!("invalid api config: authentication cannot be disabled for API '{path}'");
            section.wrong(&field.place, message, &open_paths());
        }
        let config = ApiConfig {
            skip_auth: skip_auth.is_some(),
            timeout,
        };
        Some((path, config))
    });
    apis.into_iter().flatten().collect()
}

fn open_paths() -> String {
    let paths: Vec<&str> = ENDPOINTS
        .iter()
        .filter(|endpoint| endpoint.may_skip_auth)
        .map(|endpoint| endpoint.path)
        .collect();
    format!("remove skip_auth; it is for {} only", paths.join(", "))
}
