//! Permissions and roles of Google Cloud.

use keystead_config::kes::GcpSecretManagerConfig;

use super::{Grant, Operation};

pub(super) fn grant(config: &GcpSecretManagerConfig, operation: Operation) -> Option<Grant> {
    let (permissions, role) = match operation {
        Operation::Connect => return None,
        Operation::List => ("secretmanager.secrets.list", "secretmanager.viewer"),
        Operation::Read => (
            "secretmanager.versions.access",
            "secretmanager.secretAccessor",
        ),
        Operation::Create => (
            "secretmanager.secrets.create,secretmanager.versions.add",
            "secretmanager.admin",
        ),
        Operation::Delete => ("secretmanager.secrets.delete", "secretmanager.admin"),
    };
    let project = &config.project_id;
    let member = match &config.credentials {
        Some(credentials) => format!("serviceAccount:{}", credentials.client_email),
        None => "serviceAccount:EMAIL".to_owned(),
    };
    Some(Grant {
        place: format!(
            "project '{project}': a role of your own (first line), or else a predefined one"
        ),
        text: format!(
            "gcloud iam roles update ROLE --project={project} --add-permissions={permissions}\n\
             gcloud projects add-iam-policy-binding {project} --member={member} \
             --role=roles/{role}"
        ),
    })
}
