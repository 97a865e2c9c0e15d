//! Policies of Vault and OpenBao (key stores, section 4.8).

use keystead_config::kes::{EngineVersion, VaultAuth, VaultConfig};

use super::{Grant, Operation, Use, list, quoted};

pub(super) fn grant(config: &VaultConfig, operation: Operation, usage: Use) -> Option<Grant> {
    let folder = |area: &str| path(config, &[&config.engine, area, &config.prefix, "*"]);
    let mut rules = match (config.version, operation) {
        (_, Operation::Connect) => return None,
        (EngineVersion::V1, _) => match usage {
            Use::Full => rule(&folder(""), &["create", "read", "delete", "list"]),
            Use::ReadOnly => rule(&folder(""), &["read", "list"]),
        },
        (EngineVersion::V2, Operation::Read | Operation::Create) => match usage {
            Use::Full => rule(&folder("data"), &["create", "read"]),
            Use::ReadOnly => rule(&folder("data"), &["read"]),
        },
        (EngineVersion::V2, Operation::List | Operation::Delete) => match usage {
            Use::Full => rule(&folder("metadata"), &["list", "delete"]),
            Use::ReadOnly => rule(&folder("metadata"), &["list"]),
        },
    };
    let transit = match operation {
        Operation::Create => Some("encrypt"),
        Operation::Read => Some("decrypt"),
        Operation::Connect | Operation::List | Operation::Delete => None,
    };
    if let (Some(transit), Some(action)) = (&config.transit, transit) {
        let path = path(config, &[&transit.engine, action, &transit.key]);
        rules.push('\n');
        rules.push_str(&rule(&path, &["update"]));
    }
    Some(Grant {
        place: place(config),
        text: rules,
    })
}

fn rule(path: &str, capabilities: &[&str]) -> String {
    let (path, capabilities) = (quoted(path), list(capabilities));
    format!("path {path} {{ capabilities = {capabilities} }}")
}

/// The path of some mounts and folders as a policy of the login's namespace names it.
fn path(config: &VaultConfig, parts: &[&str]) -> String {
    let mut segments = Vec::new();
    segments.push(inner_namespace(config));
    segments.extend(parts);
    segments.retain(|segment| !segment.is_empty());
    segments.join("/")
}

/// The namespace of the keys as seen from that of the login, which has the policies.
fn inner_namespace(config: &VaultConfig) -> &str {
    let keys = config.namespace.as_deref().unwrap_or_default();
    let keys = keys.trim_matches('/');
    let login = login_namespace(config);
    match keys.strip_prefix(login) {
        Some(inner) if login.is_empty() || inner.starts_with('/') => inner.trim_matches('/'),
        _ => "",
    }
}

fn login_namespace(config: &VaultConfig) -> &str {
    let (VaultAuth::AppRole { login, .. } | VaultAuth::Kubernetes { login, .. }) = &config.auth;
    login
        .namespace
        .as_deref()
        .unwrap_or_default()
        .trim_matches('/')
}

fn place(config: &VaultConfig) -> String {
    let role = match &config.auth {
        VaultAuth::AppRole { login, .. } => format!("the AppRole of 'auth/{}'", login.engine),
        VaultAuth::Kubernetes { login, role, .. } => {
            format!("the role '{role}' of 'auth/{}'", login.engine)
        }
    };
    let namespace = match login_namespace(config) {
        "" => String::new(),
        namespace => format!(" in namespace '{namespace}'"),
    };
    format!(
        "a policy of {role}{namespace}; if a policy has a longer path that matches, only that \
         one counts"
    )
}
