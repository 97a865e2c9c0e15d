//! The files of the published guides, and the example with most keys.

use std::{path::Path, time::Duration};

use keystead_config::{
    Level, SecretSource,
    kes::{
        ApiConfig, CacheConfig, ClientAuth, EngineVersion, KeyStoreConfig, ServerConfig, VaultAuth,
    },
};

use super::{ALICE, BOB, read, short};

const KEYCONTROL: &str = include_str!("fixtures/keycontrol.yml");
const VAULT: &str = include_str!("fixtures/vault.yml");
const EXAMPLE: &str = include_str!("fixtures/example.yml");

const VAULT_VARIABLES: &[(&str, &str)] = &[
    ("ROOT_IDENTITY", ALICE),
    ("MINIO_IDENTITY", BOB),
    ("KES_APPROLE_ID", "role"),
    ("KES_APPROLE_SECRET", "secret"),
];

fn patterns(config: &ServerConfig, policy: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
    let policy = &config.policies[policy];
    (
        policy.rules.allow.iter().map(ToString::to_string).collect(),
        policy.rules.deny.iter().map(ToString::to_string).collect(),
        policy.identities.iter().map(ToString::to_string).collect(),
    )
}

fn keycontrol_filled_in() -> String {
    let mut text = KEYCONTROL.to_owned();
    for (key, value) in [
        (
            "vault_id: \"\"",
            "vault_id: e30497c1-bff7-4e81-beb7-fb35c4b7410c",
        ),
        ("box_id:   \"\"", "box_id:   tenant-1"),
        ("username: \"\"", "username: kes-tenant-1@my-org.com"),
        ("password: \"\"", "password: 'pa[ss]*$word'"),
    ] {
        assert!(text.contains(key), "{key}");
        text = text.replace(key, value);
    }
    text
}

#[test]
fn keycontrol_guide() {
    let loaded = read(&keycontrol_filled_in(), &[]).unwrap();
    let config = loaded.config;
    assert_eq!(loaded.warnings, []);
    assert_eq!(config.address.to_string(), "0.0.0.0:7373");
    assert_eq!(config.admin.as_str(), "disabled");
    assert_eq!(config.tls.key, Path::new("private.key"));
    assert_eq!(config.tls.cert, Path::new("public.crt"));
    assert_eq!(config.tls.password, None);
    assert_eq!(config.tls.auth, ClientAuth::Off);
    assert_eq!(config.tls.ca, None);
    assert!(!config.client_certificate_optional());
    assert_eq!(config.policies.len(), 1);
    let (allow, deny, identities) = patterns(&config, "my-app");
    assert_eq!(
        allow,
        [
            "/v1/key/create/my-key*",
            "/v1/key/generate/my-key*",
            "/v1/key/decrypt/my-key*"
        ]
    );
    assert_eq!(deny, [""; 0]);
    assert_eq!(identities, [BOB]);
    assert_eq!(config.cache, CacheConfig::default());
    assert_eq!(config.log.error, Level::INFO);
    assert_eq!(config.log.audit, Level::OFF);
    assert!(config.api.is_empty());
    assert!(config.keys.is_empty());
    let KeyStoreConfig::KeyControl(store) = config.keystore else {
        panic!("another store");
    };
    assert_eq!(store.endpoints, ["https://keycontrol.my-org.com"]);
    assert_eq!(store.vault_id, "e30497c1-bff7-4e81-beb7-fb35c4b7410c");
    assert_eq!(store.box_id, "tenant-1");
    assert_eq!(store.username, "kes-tenant-1@my-org.com");
    assert_eq!(store.password.read().unwrap().expose(), "pa[ss]*$word");
    assert_eq!(store.ca, None);
}

#[test]
fn keycontrol_guide_with_its_placeholders() {
    let error = read(KEYCONTROL, &[]).unwrap_err();
    assert_eq!(
        short(&error),
        "invalid Entrust KeyControl keystore: no vault ID specified"
    );
}

#[test]
fn vault_guide() {
    let loaded = read(VAULT, VAULT_VARIABLES).unwrap();
    let config = loaded.config;
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        ["kes.yml:2:1: root: old name of 'admin.identity'; write that"]
    );
    assert_eq!(config.address.to_string(), "0.0.0.0:7373");
    assert_eq!(config.admin.as_str(), ALICE);
    assert_eq!(config.tls.key, Path::new("kes-server.key"));
    assert_eq!(config.tls.cert, Path::new("kes-server.cert"));
    assert_eq!(config.tls.auth, ClientAuth::Off);
    let (allow, deny, identities) = patterns(&config, "minio-server");
    assert_eq!(
        allow,
        [
            "/v1/key/create/*",
            "/v1/key/generate/*",
            "/v1/key/decrypt/*",
            "/v1/key/bulk/decrypt",
            "/v1/key/list",
            "/v1/status",
            "/v1/metrics",
            "/v1/log/audit",
            "/v1/log/error",
        ]
    );
    assert_eq!(deny, [""; 0]);
    assert_eq!(identities, [BOB]);
    let keys: Vec<&str> = config.keys.iter().map(AsRef::as_ref).collect();
    assert_eq!(
        keys,
        [
            "minio-encryption-key-alpha",
            "minio-encryption-key-baker",
            "minio-encryption-key-charlie",
        ]
    );
    let KeyStoreConfig::Vault(store) = config.keystore else {
        panic!("another store");
    };
    assert_eq!(store.endpoint, "https://vault.example.net:8200");
    assert_eq!(store.engine, "kv");
    assert_eq!(store.version, EngineVersion::V1);
    assert_eq!(store.namespace.as_deref(), Some("minio"));
    assert_eq!(store.prefix, "keys");
    assert_eq!(store.transit, None);
    assert_eq!(store.status_ping, Duration::from_secs(10));
    let identity = store.tls.identity.unwrap();
    let file = |name: &str| SecretSource::File(name.into());
    assert_eq!(identity.key, file("kes-mtls.key"));
    assert_eq!(identity.cert, file("kes-mtls.cert"));
    assert_eq!(store.tls.ca, Some(file("vault-tls.cert")));
    let VaultAuth::AppRole { login, id, secret } = store.auth else {
        panic!("another method");
    };
    assert_eq!(id.read().unwrap().expose(), "role");
    assert_eq!(secret.read().unwrap().expose(), "secret");
    assert_eq!(login.engine, "approle");
    assert_eq!(login.namespace.as_deref(), Some("minio"));
    assert_eq!(login.retry, Duration::from_secs(15));
    let files: Vec<&str> = loaded
        .files
        .iter()
        .filter_map(|file| file.to_str())
        .collect();
    assert_eq!(
        files,
        [
            "kes-server.key",
            "kes-server.cert",
            "kes-mtls.key",
            "kes-mtls.cert",
            "vault-tls.cert"
        ]
    );
}

#[test]
fn vault_guide_names_the_first_missing_variable() {
    for (missing, line) in [
        ("ROOT_IDENTITY", 2),
        ("MINIO_IDENTITY", 21),
        ("KES_APPROLE_ID", 36),
        ("KES_APPROLE_SECRET", 37),
    ] {
        let variables: Vec<_> = VAULT_VARIABLES
            .iter()
            .copied()
            .take_while(|(name, _)| *name != missing)
            .collect();
        let error = read(VAULT, &variables).unwrap_err();
        assert_eq!(
            short(&error),
            format!("referenced env. variable '{missing}' in line '{line}' not found")
        );
    }
}

#[test]
fn vault_guide_without_its_policy() {
    let start = VAULT.find("policy:").unwrap();
    let end = VAULT.find("keys:\n").unwrap();
    let text = format!("{}{}", &VAULT[..start], &VAULT[end..]);
    let config = read(&text, VAULT_VARIABLES).unwrap().config;
    assert!(config.policies.is_empty());
    assert_eq!(config.admin.as_str(), ALICE);
}

#[test]
fn vault_guide_with_one_identity_for_both() {
    let mut variables = VAULT_VARIABLES.to_vec();
    variables[1] = ("MINIO_IDENTITY", ALICE);
    let error = read(VAULT, &variables).unwrap_err();
    assert_eq!(
        short(&error),
        format!("invalid policy 'minio-server': identity '{ALICE}' is already admin")
    );
}

#[test]
fn newer_form_of_the_vault_guide() {
    let text = VAULT
        .replace("root: ${ROOT_IDENTITY}", "admin:\n  identity: disabled")
        .replace(
            "cert: kes-server.cert",
            "cert: kes-server.cert\n  ca: /opt/kes/CAs/",
        )
        .replace("- /v1/key/list\n", "- /v1/key/list/*\n");
    let loaded = read(&text, VAULT_VARIABLES).unwrap();
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.config.admin.as_str(), "disabled");
    assert_eq!(
        loaded.config.tls.ca.as_deref(),
        Some(Path::new("/opt/kes/CAs/"))
    );
}

#[test]
fn example_with_most_keys() {
    let variables = [
        ("ADMIN_ID", ALICE),
        ("KEY_PW", "key password"),
        ("BACKUP_ID", BOB),
    ];
    let loaded = read(EXAMPLE, &variables).unwrap();
    let config = loaded.config;
    assert_eq!(loaded.warnings, []);
    assert_eq!(config.address.to_string(), "127.0.0.1:7373");
    assert_eq!(config.admin.as_str(), ALICE);
    assert_eq!(
        config.tls.password.as_ref().unwrap().expose(),
        "key password"
    );
    assert_eq!(config.tls.auth, ClientAuth::Off);
    assert_eq!(config.tls.ca.as_deref(), Some(Path::new("./client-cas/")));
    assert_eq!(
        config.tls.proxy.header.as_deref(),
        Some("X-Tls-Client-Cert")
    );
    assert!(config.tls.proxy.identities.is_empty());
    assert!(config.client_certificate_optional());
    assert_eq!(
        config.api["/v1/ready"],
        ApiConfig {
            skip_auth: true,
            timeout: Some(Duration::from_secs(20))
        }
    );
    assert_eq!(
        config.api["/v1/metrics"],
        ApiConfig {
            skip_auth: true,
            timeout: None
        }
    );
    let (allow, deny, identities) = patterns(&config, "backup-job");
    assert_eq!(allow, ["/v1/key/decrypt/backup-*", "/v1/key/list/*"]);
    assert_eq!(deny, ["/v1/key/decrypt/backup-root"]);
    assert_eq!(identities, [BOB]);
    assert_eq!(config.cache.any, Duration::from_secs(600));
    assert_eq!(config.cache.unused, Duration::from_secs(45));
    assert_eq!(config.cache.offline, Duration::ZERO);
    assert_eq!(config.log.error.value(), 5);
    assert_eq!(config.log.audit.value(), 9);
    assert_eq!(config.keys[0].as_str(), "backup-2025");
    let KeyStoreConfig::Fs(store) = config.keystore else {
        panic!("another store");
    };
    assert_eq!(store.path, Path::new("./kes-test-keys"));
    let origin = |path: &str| loaded.origins[path].to_string();
    assert_eq!(origin("tls.key"), "kes.yml:6:8");
    assert_eq!(
        origin("tls.password"),
        "kes.yml:8:13 (value of environment variable KEY_PW)"
    );
    assert_eq!(
        origin("policy.backup-job.identities[0]"),
        "kes.yml:21:19 (value of environment variable BACKUP_ID)"
    );
}
