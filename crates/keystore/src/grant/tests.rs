use keystead_config::kes::{Overrides, ServerConfig};

use super::*;

/// The key store of a configuration whose `keystore` section is `section`.
fn keystore(section: &str) -> KeyStoreConfig {
    let text = format!(
        "admin: {{ identity: disabled }}\ntls: {{ key: k, cert: c }}\nkeystore: {section}\n"
    );
    let no_variables = |_: &str| None;
    ServerConfig::parse(&text, "test.yml", &no_variables, &Overrides::default())
        .unwrap()
        .config
        .keystore
}

fn text(config: &KeyStoreConfig, operation: Operation) -> String {
    grant(config, operation, Use::Full).unwrap().text
}

fn vault(more: &str) -> KeyStoreConfig {
    keystore(&format!(
        "{{ vault: {{ endpoint: 'https://v', approle: {{ id: i, secret: s3cret }}, {more} }} }}"
    ))
}

#[test]
fn vault_rules_name_mount_prefix_and_version() {
    let config = vault("engine: kv, version: v2, prefix: a/b");
    let data = r#"path "kv/data/a/b/*" { capabilities = ["create", "read"] }"#;
    let metadata = r#"path "kv/metadata/a/b/*" { capabilities = ["list", "delete"] }"#;
    for (operation, rule) in [
        (Operation::Create, data),
        (Operation::Read, data),
        (Operation::List, metadata),
        (Operation::Delete, metadata),
    ] {
        assert_eq!(text(&config, operation), rule);
    }
    assert_eq!(grant(&config, Operation::Connect, Use::Full), None);
    let read_only = |operation| grant(&config, operation, Use::ReadOnly).unwrap().text;
    assert_eq!(
        read_only(Operation::Read),
        r#"path "kv/data/a/b/*" { capabilities = ["read"] }"#
    );
    assert_eq!(
        read_only(Operation::List),
        r#"path "kv/metadata/a/b/*" { capabilities = ["list"] }"#
    );

    let config = vault("engine: secret/kes, version: v1");
    for operation in [Operation::Create, Operation::List, Operation::Delete] {
        assert_eq!(
            text(&config, operation),
            r#"path "secret/kes/*" { capabilities = ["create", "read", "delete", "list"] }"#
        );
    }
}

#[test]
fn vault_rules_name_the_transit_key() {
    let config = vault("version: v2, transit: { key: kes }");
    assert_eq!(
        text(&config, Operation::Create),
        "path \"kv/data/*\" { capabilities = [\"create\", \"read\"] }\n\
         path \"transit/encrypt/kes\" { capabilities = [\"update\"] }"
    );
    assert!(text(&config, Operation::Read).contains("\"transit/decrypt/kes\""));
    assert!(!text(&config, Operation::Delete).contains("transit"));
}

#[test]
fn vault_rules_are_seen_from_the_namespace_of_the_login() {
    let approle = |login: &str| {
        keystore(&format!(
            "{{ vault: {{ endpoint: 'https://v', version: v2, namespace: org/team, \
             approle: {{ id: i, secret: s, namespace: {login} }} }} }}"
        ))
    };
    for (login, path, place) in [
        ("/", "\"org/team/kv/data/*\"", "'auth/approle'; "),
        ("org", "\"team/kv/data/*\"", " in namespace 'org'; "),
        ("org/team", "\"kv/data/*\"", " in namespace 'org/team'; "),
        ("org/te", "\"kv/data/*\"", " in namespace 'org/te'; "),
    ] {
        let grant = grant(&approle(login), Operation::Read, Use::Full).unwrap();
        assert!(grant.text.contains(path), "{login}: {}", grant.text);
        assert!(grant.place.contains(place), "{login}: {}", grant.place);
    }
}

#[test]
fn aws_statements_name_region_and_kms_key() {
    let aws = |region: &str, more: &str| {
        keystore(&format!(
            "{{ aws: {{ secretsmanager: {{ endpoint: e, region: {region}{more} }} }} }}"
        ))
    };
    let config = aws("us-east-2", "");
    assert_eq!(
        text(&config, Operation::Create),
        r#"{ "Effect": "Allow", "Action": ["secretsmanager:CreateSecret"], "Resource": "arn:aws:secretsmanager:us-east-2:*:secret:*" }"#
    );
    assert_eq!(
        text(&config, Operation::List),
        r#"{ "Effect": "Allow", "Action": ["secretsmanager:ListSecrets"], "Resource": "*" }"#
    );
    let second = |region: &str, key: &str| {
        let config = aws(region, &format!(", kmskey: '{key}'"));
        text(&config, Operation::Read)
            .lines()
            .nth(1)
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        second("us-gov-west-1", "1234-abcd"),
        r#"{ "Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": "arn:aws-us-gov:kms:us-gov-west-1:*:key/1234-abcd" }"#
    );
    let arn = "arn:aws:kms:us-east-2:1:key/5";
    assert!(second("us-east-2", arn).contains(&format!("\"Resource\": \"{arn}\" }}")));
    for alias in ["alias/kes", "arn:aws:kms:us-east-2:1:alias/kes"] {
        let condition = r#""Resource": "arn:aws:kms:us-east-2:*:key/*", "Condition": { "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/kes" } } }"#;
        assert!(second("us-east-2", alias).ends_with(condition));
    }
}

#[test]
fn statements_are_json() {
    let config = keystore(
        "{ aws: { secretsmanager: { endpoint: e, region: cn-north-1, kmskey: 'alias/a\"b' } } }",
    );
    for operation in [
        Operation::List,
        Operation::Read,
        Operation::Create,
        Operation::Delete,
    ] {
        let array = format!("[{}]", text(&config, operation));
        let parsed: serde_json::Value = serde_json::from_str(&array).unwrap();
        assert_eq!(parsed[0]["Effect"], "Allow");
    }
}

#[test]
fn clouds_get_commands() {
    let gcp = keystore("{ gcp: { secretmanager: { project_id: p } } }");
    assert_eq!(
        text(&gcp, Operation::Read),
        "gcloud iam roles update ROLE --project=p \
         --add-permissions=secretmanager.versions.access\n\
         gcloud projects add-iam-policy-binding p --member=serviceAccount:EMAIL \
         --role=roles/secretmanager.secretAccessor"
    );
    let azure = keystore(
        "{ azure: { keyvault: { endpoint: 'https://my-vault.vault.azure.net/', \
         managed_identity: { client_id: 7-8 } } } }",
    );
    for operation in [Operation::Create, Operation::Read, Operation::Delete] {
        let text = text(&azure, operation);
        assert!(text.starts_with(
            "az keyvault set-policy --name my-vault --spn 7-8 \
             --secret-permissions get list set delete purge\n"
        ));
    }
}

#[test]
fn appliances_get_roles() {
    let keycontrol = keystore(
        "{ entrust: { keycontrol: { endpoint: 'https://k', vault_id: v, box_id: b, \
         credentials: { username: u, password: s3cret } } } }",
    );
    let read = grant(&keycontrol, Operation::Read, Use::Full).unwrap();
    assert_eq!(read.text, "role 'Vault User' on the box 'b', All Secrets");
    assert!(read.place.ends_with("'u'"));
    assert!(text(&keycontrol, Operation::Create).contains("'Vault Box Admin'"));

    let fortanix = keystore(
        "{ fortanix: { sdkms: { endpoint: 'https://f', credentials: { key: s3cret } } } }",
    );
    assert_eq!(text(&fortanix, Operation::Create), "permission Manage");
    assert!(text(&fortanix, Operation::Delete).contains("Export"));

    let keysecure = keystore(
        "{ gemalto: { keysecure: { endpoint: 'https://g', credentials: { token: s3cret } } } }",
    );
    assert!(text(&keysecure, Operation::Read).contains(r#"["ReadKey", "ExportKey"]"#));
}

#[test]
fn no_grant_holds_a_secret() {
    for config in [
        vault("version: v1"),
        keystore(
            "{ aws: { secretsmanager: { endpoint: e, region: r, \
             credentials: { accesskey: a, secretkey: s3cret, token: s3cret } } } }",
        ),
        keystore(
            "{ azure: { keyvault: { endpoint: 'https://a', \
             credentials: { tenant_id: t, client_id: c, client_secret: s3cret } } } }",
        ),
        keystore(
            "{ gcp: { secretmanager: { project_id: p, credentials: { client_email: e, \
             client_id: c, private_key_id: i, private_key: s3cret } } } }",
        ),
    ] {
        for operation in [Operation::Connect, Operation::Read, Operation::Create] {
            let grant = format!("{:?}", grant(&config, operation, Use::Full));
            assert!(!grant.contains("s3cret"), "{grant}");
        }
    }
}
