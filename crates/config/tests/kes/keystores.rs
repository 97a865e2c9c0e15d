//! Every key store: its keys, its defaults, its faults.

use std::{fs, path::Path, time::Duration};

use keystead_config::{
    SecretSource,
    kes::{AzureCredentials, EngineVersion, KeyStoreConfig, VaultAuth, VaultConfig},
};

use super::{ADMIN, TLS, read, refusal, warnings};

fn file(keystore: &str) -> String {
    format!("{ADMIN}{TLS}keystore: {{ {keystore} }}\n")
}

fn store(keystore: &str) -> KeyStoreConfig {
    match read(&file(keystore), &[]) {
        Ok(loaded) => {
            assert_eq!(loaded.warnings, [], "{keystore}");
            loaded.config.keystore
        }
        Err(error) => panic!("{keystore}\n{error}"),
    }
}

fn vault(keys: &str) -> VaultConfig {
    let keystore = format!("vault: {{ endpoint: https://v, {keys} }}");
    match store(&keystore) {
        KeyStoreConfig::Vault(vault) => *vault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn exactly_one_store() {
    for (keystore, message) in [
        ("", "no keystore specified"),
        ("fs: , vault: ~", "no keystore specified"),
        ("aws: { secretsmanager: }", "no keystore specified"),
        ("aws: {}", "no keystore specified"),
        (
            "fs: { path: x }, azure: { keyvault: { endpoint: https://a } }",
            "invalid keystore config: more than once keystore specified",
        ),
        // The first store is looked at before the second is found.
        (
            "vault: {}, fs: {}",
            "invalid fs keystore: no path specified",
        ),
        (
            "vault: {}, fs: { path: x }",
            "invalid keystore config: more than once keystore specified",
        ),
        (
            "kes: { endpoint: [https://k] }",
            "keystore 'kes' is no longer supported",
        ),
        (
            "generic: { endpoint: https://g }",
            "keystore 'generic' is no longer supported",
        ),
    ] {
        assert_eq!(refusal(&file(keystore)), message, "{keystore}");
    }
    assert_eq!(
        warnings(&file("fs: { path: x }, kes: {}")),
        ["kes.yml:3:30: keystore.kes: keystore 'kes' is no longer supported"]
    );
}

/// Every key that a store cannot do without, and the message without it.
#[test]
fn missing_keys() {
    let approle = "approle: { id: i, secret: s }";
    for (keystore, message) in [
        ("fs: {}", "invalid fs keystore: no path specified"),
        ("vault: {}", "invalid vault keystore: no endpoint specified"),
        (
            "vault: { endpoint: x }",
            "invalid vault keystore: no authentication method specified",
        ),
        (
            "vault: { endpoint: x, approle: {}, kubernetes: {} }",
            "invalid vault keystore: more than one authentication method specified",
        ),
        (
            "vault: { endpoint: x, approle: { secret: s } }",
            "invalid approle config: no approle ID specified",
        ),
        (
            "vault: { endpoint: x, approle: { id: i } }",
            "invalid approle config: no approle secret specified",
        ),
        (
            "vault: { endpoint: x, kubernetes: { role: r } }",
            "invalid kubernetes config: no JWT specified",
        ),
        (
            "vault: { endpoint: x, kubernetes: { jwt: /no/such/file } }",
            "failed to read vault kubernetes JWT from '/no/such/file'",
        ),
        (
            &format!("vault: {{ endpoint: x, {approle}, transit: {{}} }}"),
            "invalid transit config: no key name specified",
        ),
        (
            &format!("vault: {{ endpoint: x, {approle}, tls: {{ key: k }} }}"),
            "invalid vault keystore: no TLS certificate provided",
        ),
        (
            &format!("vault: {{ endpoint: x, {approle}, tls: {{ cert: c }} }}"),
            "invalid vault keystore: no TLS private key provided",
        ),
        (
            &format!("vault: {{ endpoint: x, {approle}, version: v3 }}"),
            "invalid engine API version 'v3'",
        ),
        (
            &format!("vault: {{ endpoint: x, {approle}, status: {{ ping: -1s }} }}"),
            "invalid vault keystore: invalid status ping '-1s'",
        ),
        (
            "vault: { endpoint: x, approle: { id: i, secret: s, retry: -1s } }",
            "invalid approle config: invalid retry '-1s'",
        ),
        (
            "entrust: { keycontrol: {} }",
            "invalid Entrust KeyControl keystore: no endpoint specified",
        ),
        (
            "entrust: { keycontrol: { endpoint: e } }",
            "invalid Entrust KeyControl keystore: no vault ID specified",
        ),
        (
            "entrust: { keycontrol: { endpoint: e, vault_id: v } }",
            "invalid Entrust KeyControl keystore: no box ID specified",
        ),
        (
            "entrust: { keycontrol: { endpoint: e, vault_id: v, box_id: b } }",
            "invalid Entrust KeyControl keystore: no username specified",
        ),
        (
            "entrust: { keycontrol: { endpoint: e, vault_id: v, box_id: b, credentials: { username: u } } }",
            "invalid Entrust KeyControl keystore: no password specified",
        ),
        (
            "aws: { secretsmanager: {} }",
            "invalid AWS secretsmanager keystore: no endpoint specified",
        ),
        (
            "aws: { secretsmanager: { endpoint: e } }",
            "invalid AWS secretsmanager keystore: no region specified",
        ),
        (
            "aws: { secretsmanager: { endpoint: e, region: r, credentials: { token: t } } }",
            "invalid AWS secretsmanager keystore: no access key specified",
        ),
        (
            "aws: { secretsmanager: { endpoint: e, region: r, credentials: { accesskey: a } } }",
            "invalid AWS secretsmanager keystore: no secret key specified",
        ),
        (
            "gcp: { secretmanager: {} }",
            "invalid GCP secretmanager keystore: no project ID specified",
        ),
        (
            "gcp: { secretmanager: { project_id: p, credentials: { client_id: c } } }",
            "invalid GCP secretmanager keystore: no client email provided",
        ),
        (
            "azure: { keyvault: {} }",
            "invalid Azure keyvault keystore: no endpoint specified",
        ),
        (
            "azure: { keyvault: { endpoint: e, credentials: {}, managed_identity: {} } }",
            "invalid Azure keyvault keystore: more than one authentication method specified",
        ),
        (
            "azure: { keyvault: { endpoint: e, credentials: {} } }",
            "invalid Azure keyvault keystore: no tenant ID specified",
        ),
        (
            "azure: { keyvault: { endpoint: e, credentials: { tenant_id: t } } }",
            "invalid Azure keyvault keystore: no client ID specified",
        ),
        (
            "azure: { keyvault: { endpoint: e, credentials: { tenant_id: t, client_id: c } } }",
            "invalid Azure keyvault keystore: no client secret specified",
        ),
        (
            "azure: { keyvault: { endpoint: e, managed_identity: {} } }",
            "invalid Azure keyvault keystore: no client ID specified",
        ),
        (
            "gemalto: { keysecure: {} }",
            "invalid gemalto keysecure keystore: no endpoint specified",
        ),
        (
            "gemalto: { keysecure: { endpoint: e } }",
            "invalid gemalto keysecure keystore: no token specified",
        ),
        (
            "fortanix: { sdkms: {} }",
            "invalid fortanix SDKMS keystore: no endpoint specified",
        ),
        (
            "fortanix: { sdkms: { endpoint: e } }",
            "invalid fortanix SDKMS keystore: no API key specified",
        ),
    ] {
        assert_eq!(refusal(&file(keystore)), message, "{keystore}");
    }
}

#[test]
fn vault_defaults() {
    let vault = vault("approle: { id: i, secret: s }");
    assert_eq!(vault.engine, "kv");
    assert_eq!(vault.version, EngineVersion::V1);
    assert_eq!(vault.namespace, None);
    assert_eq!(vault.prefix, "");
    assert_eq!(vault.transit, None);
    assert_eq!(vault.tls.identity, None);
    assert_eq!(vault.tls.ca, None);
    assert_eq!(vault.status_ping, Duration::from_secs(10));
    let VaultAuth::AppRole { login, .. } = vault.auth else {
        panic!("another method");
    };
    assert_eq!(login.engine, "approle");
    assert_eq!(login.namespace, None);
    assert_eq!(login.retry, Duration::from_secs(3));
}

#[test]
fn vault_paths_lose_their_slashes() {
    let vault = vault(
        "engine: /secret/kv/, prefix: /a/b/, version: v2, \
         transit: { engine: /t/, key: k }, approle: { engine: /ar/, id: i, secret: s }",
    );
    assert_eq!(vault.engine, "secret/kv");
    assert_eq!(vault.prefix, "a/b");
    assert_eq!(vault.version, EngineVersion::V2);
    let transit = vault.transit.unwrap();
    assert_eq!((transit.engine.as_str(), transit.key.as_str()), ("t", "k"));
    let VaultAuth::AppRole { login, .. } = vault.auth else {
        panic!("another method");
    };
    assert_eq!(login.engine, "ar");
}

#[test]
fn vault_certificates_may_be_written_in_the_file() {
    let pem = |kind: &str| format!("-----BEGIN {kind}-----\\nAA==\\n-----END {kind}-----\\n");
    let (cert, key) = (pem("CERTIFICATE"), pem("PRIVATE KEY"));
    let vault = vault(&format!(
        "approle: {{ id: i, secret: s }}, \
         tls: {{ ca: \"{cert}\", cert: \"{cert}\", key: \"{key}\" }}"
    ));
    let identity = vault.tls.identity.clone().unwrap();
    let text = |source: SecretSource| {
        assert!(matches!(source, SecretSource::Value(_)));
        source.read().unwrap().expose().replace('\n', "\\n")
    };
    assert!(!format!("{vault:?}").contains("AA=="));
    assert_eq!(text(vault.tls.ca.unwrap()), cert);
    assert_eq!((text(identity.cert), text(identity.key)), (cert, key));
}

#[test]
fn vault_login_namespaces() {
    for (keys, namespace) in [
        ("namespace: ns, approle: { id: i, secret: s }", Some("ns")),
        (
            "namespace: ns, approle: { id: i, secret: s, namespace: '' }",
            Some("ns"),
        ),
        (
            "namespace: ns, approle: { id: i, secret: s, namespace: / }",
            None,
        ),
        (
            "namespace: ns, approle: { id: i, secret: s, namespace: own }",
            Some("own"),
        ),
        ("approle: { id: i, secret: s, namespace: own }", Some("own")),
    ] {
        let VaultAuth::AppRole { login, .. } = vault(keys).auth else {
            panic!("another method");
        };
        assert_eq!(login.namespace.as_deref(), namespace, "{keys}");
    }
}

#[test]
fn vault_kubernetes_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    fs::write(&path, "jwt\n").unwrap();
    let jwt = |jwt: &str| {
        let keys = format!("kubernetes: {{ role: r, jwt: {jwt}, retry: 1s }}");
        let VaultAuth::Kubernetes { login, role, jwt } = vault(&keys).auth else {
            panic!("another method");
        };
        assert_eq!(role, "r");
        assert_eq!(login.engine, "kubernetes");
        assert_eq!(login.retry, Duration::from_secs(1));
        jwt
    };
    assert_eq!(jwt(&path.display().to_string()), SecretSource::File(path));
    let SecretSource::Value(token) = jwt("eyJhbGciOiJub25lIn0.e30.") else {
        panic!("a file");
    };
    assert_eq!(token.expose(), "eyJhbGciOiJub25lIn0.e30.");
}

#[test]
fn cloud_stores() {
    let KeyStoreConfig::AwsSecretsManager(aws) = store(
        "aws: { secretsmanager: { endpoint: e, region: r, kmskey: k, \
         credentials: { accesskey: a, secretkey: s, token: t } } }",
    ) else {
        panic!("another store");
    };
    assert_eq!((aws.endpoint.as_str(), aws.region.as_str()), ("e", "r"));
    assert_eq!(aws.kms_key.as_deref(), Some("k"));
    let credentials = aws.credentials.unwrap();
    assert_eq!(credentials.access_key, "a");
    assert_eq!(credentials.secret_key.read().unwrap().expose(), "s");
    assert_eq!(credentials.token.unwrap().read().unwrap().expose(), "t");
    let KeyStoreConfig::AwsSecretsManager(aws) = store(
        "aws: { secretsmanager: { endpoint: e, region: r, \
         credentials: { accesskey: '', secretkey: '', token: '' } } }",
    ) else {
        panic!("another store");
    };
    assert_eq!(aws.credentials, None);

    let KeyStoreConfig::GcpSecretManager(gcp) = store("gcp: { secretmanager: { project_id: p } }")
    else {
        panic!("another store");
    };
    assert_eq!(gcp.endpoint, "secretmanager.googleapis.com:443");
    assert_eq!(
        gcp.scopes,
        ["https://www.googleapis.com/auth/cloud-platform"]
    );
    assert_eq!(gcp.credentials, None);
    let KeyStoreConfig::GcpSecretManager(gcp) = store(
        "gcp: { secretmanager: { project_id: p, endpoint: e, scopes: [s], credentials: \
         { client_email: m, client_id: c, private_key_id: i, private_key: 'a\\nb' } } }",
    ) else {
        panic!("another store");
    };
    assert_eq!(
        (gcp.endpoint.as_str(), gcp.scopes.as_slice()),
        ("e", &["s".to_owned()][..])
    );
    assert_eq!(gcp.credentials.unwrap().private_key.expose(), "a\nb");

    for (keys, credentials) in [
        ("", AzureCredentials::Default),
        (
            ", managed_identity: { client_id: c }",
            AzureCredentials::ManagedIdentity {
                client_id: "c".to_owned(),
            },
        ),
        (
            ", credentials: { tenant_id: t, client_id: c, client_secret: s }",
            AzureCredentials::ClientSecret {
                tenant_id: "t".to_owned(),
                client_id: "c".to_owned(),
                client_secret: SecretSource::Value("s".to_owned().into()),
            },
        ),
    ] {
        let KeyStoreConfig::AzureKeyVault(azure) =
            store(&format!("azure: {{ keyvault: {{ endpoint: e{keys} }} }}"))
        else {
            panic!("another store");
        };
        assert_eq!(azure.credentials, credentials);
    }
}

#[test]
fn appliances() {
    let KeyStoreConfig::KeySecure(keysecure) = store(
        "gemalto: { keysecure: { endpoint: e, credentials: { token: t, domain: d, retry: 9s }, \
         tls: { ca: c } } }",
    ) else {
        panic!("another store");
    };
    assert_eq!(keysecure.token.read().unwrap().expose(), "t");
    assert_eq!(keysecure.domain.as_deref(), Some("d"));
    assert_eq!(keysecure.retry, Duration::from_secs(9));
    assert_eq!(keysecure.ca.as_deref(), Some(Path::new("c")));

    let KeyStoreConfig::Fortanix(fortanix) = store(
        "fortanix: { sdkms: { endpoint: e, group_id: g, credentials: { key: k }, tls: { ca: c } } }",
    ) else {
        panic!("another store");
    };
    assert_eq!(fortanix.group_id.as_deref(), Some("g"));
    assert_eq!(fortanix.key.read().unwrap().expose(), "k");
    assert_eq!(fortanix.ca.as_deref(), Some(Path::new("c")));

    let KeyStoreConfig::KeyControl(keycontrol) = store(
        "entrust: { keycontrol: { endpoint: e, vault_id: v, box_id: b, \
         credentials: { username: u, password: p }, tls: { ca: c } } }",
    ) else {
        panic!("another store");
    };
    assert_eq!(keycontrol.ca.as_deref(), Some(Path::new("c")));
}

#[test]
fn keycontrol_may_be_a_cluster() {
    let endpoints = |endpoint: &str| {
        let KeyStoreConfig::KeyControl(keycontrol) = store(&format!(
            "entrust: {{ keycontrol: {{ endpoint: {endpoint}, vault_id: v, box_id: b, \
             credentials: {{ username: u, password: p }} }} }}",
        )) else {
            panic!("another store");
        };
        keycontrol.endpoints
    };
    for (text, expected) in [
        ("https://a", &["https://a"][..]),
        (
            "'https://a, https://b:8443,'",
            &["https://a", "https://b:8443"],
        ),
        ("[ https://a, https://b ]", &["https://a", "https://b"]),
        (
            "[ https://a, '', 'https://b,https://c' ]",
            &["https://a", "https://b", "https://c"],
        ),
    ] {
        assert_eq!(endpoints(text), expected);
    }
    for none in ["''", "', '", "[]", "[ '' ]"] {
        let message = "invalid Entrust KeyControl keystore: no endpoint specified";
        let keystore = format!("entrust: {{ keycontrol: {{ endpoint: {none} }} }}");
        assert_eq!(refusal(&file(&keystore)), message, "{none}");
    }
    assert_eq!(
        warnings(&file(
            "entrust: { keycontrol: { endpoint: http://a, vault_id: v, box_id: b, \
             credentials: { username: u, password: p } } }"
        )),
        ["kes.yml:3:48: keystore.entrust.keycontrol.endpoint: \
          username and password are sent unencrypted; use https"]
    );
}

#[test]
fn credentials_on_the_wire_are_warned_about() {
    for (keystore, warning) in [
        (
            "gemalto: { keysecure: { endpoint: http://a, credentials: { token: t } } }",
            "keystore.gemalto.keysecure.endpoint: the refresh token is sent unencrypted; use https",
        ),
        (
            "fortanix: { sdkms: { endpoint: http://a, credentials: { key: k } } }",
            "keystore.fortanix.sdkms.endpoint: the API key is sent unencrypted; use https",
        ),
    ] {
        let warnings = warnings(&file(keystore));
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].ends_with(warning), "{warnings:?}");
    }
}
