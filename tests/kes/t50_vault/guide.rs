use anyhow::{Context, Result};
use keystead_doubles::{OpenBao, Role};
use keystead_tests::Folder;
use serde_json::{Value, json};

/// The configuration of the published guide: its keys and its structure.
fn configuration(endpoint: &str, version: &str) -> String {
    format!(
        r#"address: 0.0.0.0:7373
root: ${{ROOT_IDENTITY}}

tls:
  key: kes-server.key
  cert: kes-server.cert

policy:
  minio-server:
    allow:
    - /v1/key/create/*
    - /v1/key/generate/*
    - /v1/key/decrypt/*
    - /v1/key/bulk/decrypt
    - /v1/key/list
    - /v1/status
    - /v1/metrics
    - /v1/log/audit
    - /v1/log/error
    identities:
    - ${{MINIO_IDENTITY}}

keys:
  - name: "minio-encryption-key-alpha"
  - name: "minio-encryption-key-baker"
  - name: "minio-encryption-key-charlie"

keystore:
  vault:
    endpoint: {endpoint}
    engine: "kv"
    version: "{version}"
    namespace: "minio"
    prefix: "keys"
    approle:
      id: ${{KES_APPROLE_ID}}
      secret: ${{KES_APPROLE_SECRET}}
      retry: 15s
    status:
      ping: 10s
    tls:
      key: "kes-mtls.key"
      cert: "kes-mtls.cert"
      ca: vault-tls.cert
"#
    )
}

/// The policies of the guide.
const POLICIES: [(&str, &str); 2] = [
    (
        "v1",
        r#"path "kv/*" { capabilities = [ "create", "read", "delete" ] }"#,
    ),
    (
        "v2",
        r#"
path "kv/data/*" { capabilities = [ "create", "read"] }
path "kv/metadata/*" { capabilities = [ "list", "delete"] }
"#,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_from_its_configuration_to_the_first_data_key() -> Result<()> {
    let Some(bao) = OpenBao::durable().await? else {
        return Ok(());
    };
    for (version, policy) in POLICIES {
        // What the guide has the operator do in a namespace.
        let namespace = if version == "v1" {
            "minio"
        } else {
            "minio/other"
        };
        let new = namespace.rsplit('/').next().unwrap_or_default();
        let parent = namespace
            .strip_suffix(new)
            .unwrap_or_default()
            .trim_end_matches('/');
        let path = format!("sys/namespaces/{new}");
        bao.request("PUT", parent, &path, Some(json!({}))).await?;
        let number = version.trim_start_matches('v');
        let mount = json!({"type": "kv", "options": {"version": number}});
        bao.request("POST", namespace, "sys/mounts/kv", Some(mount))
            .await?;
        let role = Role {
            namespace: namespace.to_owned(),
            life: ("period", 300),
            policy: policy.to_owned(),
        };
        let role_id = bao.role("kes-role", &role).await?;
        let secret_id = bao.secret(namespace, "kes-role").await?;

        let mut folder = Folder::new()?;
        for line in [
            "kes identity new --key kes-server.key --cert kes-server.cert --ip 127.0.0.1",
            "kes identity new --key root.key --cert root.cert",
            "kes identity new --key minio.key --cert minio.cert",
        ] {
            folder.run(line)?;
        }
        let (cert, key) = bao.authority().client()?;
        for (from, to) in [
            (key, "kes-mtls.key"),
            (cert, "kes-mtls.cert"),
            (bao.authority().file(), "vault-tls.cert"),
        ] {
            std::fs::copy(from, folder.path().join(to))?;
        }
        let text = configuration(&bao.url(), version);
        let text = text.replace(
            "namespace: \"minio\"",
            &format!("namespace: \"{namespace}\""),
        );
        folder.write("config.yml", &text)?;
        for (variable, line) in [
            ("ROOT_IDENTITY", "kes identity of root.cert"),
            ("MINIO_IDENTITY", "kes identity of minio.cert"),
        ] {
            let identity = folder.run(line)?.stdout;
            folder.export(variable, identity);
        }
        folder.export("KES_APPROLE_ID", role_id);
        folder.export("KES_APPROLE_SECRET", &secret_id);
        // Nothing of this counts.
        for variable in [
            "VAULT_TOKEN",
            "VAULT_ADDR",
            "VAULT_NAMESPACE",
            "VAULT_CACERT",
        ] {
            folder.export(variable, "http://127.0.0.1:1/wrong");
        }
        let (server, banner) = folder.serve("kes server --config config.yml --addr 127.0.0.1:0")?;
        let kms = format!("Hashicorp Vault: {}", bao.url());
        assert!(banner.contains(&kms), "{banner}");

        folder.export("KES_CLIENT_KEY", "minio.key");
        folder.export("KES_CLIENT_CERT", "minio.cert");
        folder.export("SSL_CERT_FILE", "kes-server.cert");
        for name in ["alpha", "baker", "charlie"] {
            let name = format!("minio-encryption-key-{name}");
            let dek = folder.run(&format!("kes key dek {name}"))?;
            assert_eq!((dek.code, dek.stderr.as_str()), (0, ""));
            let dek: Value = serde_json::from_str(&dek.stdout)?;
            let ciphertext = dek["ciphertext"].as_str().context("no ciphertext")?;
            let opened = folder.run(&format!("kes key decrypt {name} {ciphertext}"))?;
            assert_eq!(
                opened.stdout,
                format!("{{\"plaintext\":{}}}", dek["plaintext"])
            );
            is_stored(&bao, namespace, version, &name).await?;
        }
        let created = folder.run("kes key create another")?;
        assert_eq!((created.code, created.stderr.as_str()), (0, ""));
        let again = folder.run("kes key create another")?;
        assert!(
            again.stderr.contains("key already exists"),
            "{}",
            again.stderr
        );

        // Starting again changes no key.
        let alpha = is_stored(&bao, namespace, version, "minio-encryption-key-alpha").await?;
        let printed = server.stop()?;
        assert!(!printed.contains(&secret_id), "{printed}");
        let warned = printed.contains("K/V version 1 cannot keep two servers");
        assert_eq!(warned, version == "v1", "{printed}");
        let line = "kes server --config config.yml --addr 127.0.0.1:0";
        let (server, _) = folder.serve(line)?;
        let same = is_stored(&bao, namespace, version, "minio-encryption-key-alpha").await?;
        assert_eq!(alpha, same);
        server.stop()?;
    }
    Ok(())
}

/// The documented form: one field with the name of the key, base64 of the stored key.
async fn is_stored(bao: &OpenBao, namespace: &str, version: &str, name: &str) -> Result<String> {
    let (path, fields) = match version {
        "v1" => (format!("kv/keys/{name}"), "/data"),
        _ => (format!("kv/data/keys/{name}"), "/data/data"),
    };
    let entry = bao.request("GET", namespace, &path, None).await?;
    let fields = entry.pointer(fields).and_then(Value::as_object);
    let fields = fields.context("no fields")?;
    assert_eq!(fields.len(), 1, "{name}");
    let value = fields
        .get(name)
        .and_then(Value::as_str)
        .context("no value")?;
    let stored = keystead_crypto::StoredKey::decode(value.as_bytes())?;
    assert_eq!(*stored.encode(), value);
    Ok(value.to_owned())
}
