//! IAM policies of AWS.

use keystead_config::kes::AwsSecretsManagerConfig;

use super::{Grant, Operation, list, quoted};

pub(super) fn grant(config: &AwsSecretsManagerConfig, operation: Operation) -> Option<Grant> {
    let secrets = format!(
        "arn:{}:secretsmanager:{}:*:secret:*",
        partition(&config.region),
        config.region
    );
    let (action, resource, kms) = match operation {
        Operation::Connect => return None,
        // It has no smaller resource.
        Operation::List => ("secretsmanager:ListSecrets", "*", &[][..]),
        Operation::Read => (
            "secretsmanager:GetSecretValue",
            secrets.as_str(),
            &["kms:Decrypt"][..],
        ),
        Operation::Create => (
            "secretsmanager:CreateSecret",
            secrets.as_str(),
            &["kms:GenerateDataKey", "kms:Decrypt"][..],
        ),
        Operation::Delete => ("secretsmanager:DeleteSecret", secrets.as_str(), &[][..]),
    };
    let mut statements = vec![statement(&[action], resource, "")];
    if let Some(key) = &config.kms_key
        && !kms.is_empty()
    {
        statements.push(kms_statement(&config.region, key, kms));
    }
    Some(Grant {
        place: "the IAM policy of the user or role, as statements".to_owned(),
        text: statements.join(",\n"),
    })
}

fn statement(actions: &[&str], resource: &str, condition: &str) -> String {
    let (actions, resource) = (list(actions), quoted(resource));
    format!(
        "{{ \"Effect\": \"Allow\", \"Action\": {actions}, \"Resource\": {resource}{condition} }}"
    )
}

/// A policy cannot name a KMS key by its alias, but can ask for it.
fn kms_statement(region: &str, key: &str, actions: &[&str]) -> String {
    let partition = partition(region);
    let alias = match key.split_once(":alias/") {
        Some((_, alias)) => Some(alias),
        None => key.strip_prefix("alias/"),
    };
    match alias {
        Some(alias) => statement(
            actions,
            &format!("arn:{partition}:kms:{region}:*:key/*"),
            &format!(
                ", \"Condition\": {{ \"ForAnyValue:StringEquals\": \
                 {{ \"kms:ResourceAliases\": {} }} }}",
                quoted(&format!("alias/{alias}"))
            ),
        ),
        None if key.starts_with("arn:") => statement(actions, key, ""),
        None => statement(
            actions,
            &format!("arn:{partition}:kms:{region}:*:key/{key}"),
            "",
        ),
    }
}

fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}
