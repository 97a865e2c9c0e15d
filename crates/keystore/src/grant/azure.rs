//! Access policies and roles of Azure Key Vault.

use keystead_config::kes::{AzureCredentials, AzureKeyVaultConfig};

use super::{Grant, Operation, Use};

/// Both commands are complete, because the first replaces the permissions there are.
pub(super) fn grant(
    config: &AzureKeyVaultConfig,
    operation: Operation,
    usage: Use,
) -> Option<Grant> {
    if operation == Operation::Connect {
        return None;
    }
    let vault = vault(&config.endpoint);
    let client = match &config.credentials {
        AzureCredentials::Default => "CLIENT_ID",
        AzureCredentials::ClientSecret { client_id, .. }
        | AzureCredentials::ManagedIdentity { client_id } => client_id,
    };
    let (permissions, role) = match usage {
        Use::Full => ("get list set delete purge", "Key Vault Secrets Officer"),
        Use::ReadOnly => ("get list", "Key Vault Secrets User"),
    };
    Some(Grant {
        place: format!(
            "key vault '{vault}': its access policy (first line), or with Azure RBAC a role"
        ),
        text: format!(
            "az keyvault set-policy --name {vault} --spn {client} \
             --secret-permissions {permissions}\n\
             az role assignment create --assignee {client} --role \"{role}\" \
             --scope \"$(az keyvault show --name {vault} --query id --output tsv)\""
        ),
    })
}

/// The name of a vault, which its host begins with.
fn vault(endpoint: &str) -> &str {
    let host = endpoint
        .split_once("://")
        .map_or(endpoint, |(_, host)| host);
    host.split(['.', '/', ':']).next().unwrap_or(host)
}
