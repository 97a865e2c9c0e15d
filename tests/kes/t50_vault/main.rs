//! Servers on a real OpenBao.

mod guide;
mod life;
mod outages;
mod several;

use anyhow::{Context, Result};
use keystead_client_kes::Client;
use keystead_doubles::{OpenBao, Role};
use keystead_tests::{Process, Site};

/// The least-privilege policy of the documentation for K/V version 2, and the part
/// for a transit key.
const POLICY: &str = r#"
path "kv/data/*" { capabilities = ["create", "read"] }
path "kv/metadata/*" { capabilities = ["list", "delete"] }
path "kv1/*" { capabilities = ["create", "read", "delete", "list"] }
"#;

/// An OpenBao, and a site whose servers are configured for it.
struct World {
    bao: OpenBao,
    site: Site,
    role_id: String,
    secret_id: String,
}

// === impl World ===

impl World {
    /// A server that keeps everything in memory; `None` if OpenBao is not installed.
    async fn development(period: u64, engine: &str, version: &str) -> Result<Option<Self>> {
        let Some(bao) = OpenBao::development().await? else {
            return Ok(None);
        };
        Self::new(bao, period, engine, version).await.map(Some)
    }

    /// A server with files and mutual TLS.
    async fn durable(period: u64) -> Result<Option<Self>> {
        let Some(bao) = OpenBao::durable().await? else {
            return Ok(None);
        };
        Self::new(bao, period, "kv", "v2").await.map(Some)
    }

    async fn new(bao: OpenBao, period: u64, engine: &str, version: &str) -> Result<Self> {
        bao.mount("").await?;
        let role = Role {
            namespace: String::new(),
            life: ("token_period", period),
            policy: POLICY.to_owned(),
        };
        let role_id = bao.role("kes-role", &role).await?;
        let secret_id = bao.secret("", "kes-role").await?;
        let site = Site::new("")?;
        site.folder.write("secret", &secret_id)?;
        let (cert, key) = bao.authority().client()?;
        let keystore = format!(
            "keystore:\n  vault:\n    endpoint: {}\n    engine: {engine}\n    version: {version}\n    \
             prefix: keys\n    \
             approle: {{ id: {role_id}, secret_file: secret, retry: 15s }}\n    \
             status: {{ ping: 10s }}\n    \
             tls: {{ key: {}, cert: {}, ca: {} }}\n\
             log: {{ error: DEBUG, audit: on }}\n",
            bao.url(),
            key.display(),
            cert.display(),
            bao.authority().file().display(),
        );
        site.keep_keys_in(&keystore)?;
        Ok(Self {
            bao,
            site,
            role_id,
            secret_id,
        })
    }

    /// Appends to the configuration.
    fn configure(&self, more: &str) -> Result<()> {
        let configuration = self.site.folder.read("config.yml")? + more;
        self.site.folder.write("config.yml", &configuration)
    }

    fn start(&mut self) -> Result<(Process, Client)> {
        self.site.start()
    }

    /// Ends all tokens but that of the operator.
    async fn revoke_tokens(&self) -> Result<()> {
        let list = "auth/token/accessors?list=true";
        let own = self
            .bao
            .request("GET", "", "auth/token/lookup-self", None)
            .await?;
        let accessors = self.bao.request("GET", "", list, None).await?;
        let accessors = accessors
            .pointer("/data/keys")
            .and_then(|keys| keys.as_array());
        for accessor in accessors.context("no accessors")? {
            if Some(accessor) != own.pointer("/data/accessor") {
                let body = serde_json::json!({ "accessor": accessor });
                let path = "auth/token/revoke-accessor";
                self.bao.request("POST", "", path, Some(body)).await?;
            }
        }
        Ok(())
    }
}
