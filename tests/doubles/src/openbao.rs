use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use crate::{Authority, peer};

/// How long a server may take to come up.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is asked whether it is up.
const PAUSE: Duration = Duration::from_millis(25);

/// A real OpenBao server in a folder of its own, killed when it is dropped.
///
/// The program is found through the environment variable `KEYSTEAD_BAO`, or where
/// `./dev test` puts it.
pub struct OpenBao {
    program: PathBuf,
    folder: TempDir,
    authority: Authority,
    port: u16,
    cluster_port: u16,
    mode: Mode,
    process: Option<Child>,
    client: Client,
    root_token: String,
    unseal_key: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Everything in memory, plain HTTP.
    Development,
    /// Files and TLS; clients must show a certificate.
    Durable,
}

/// What a role for a key server may do and how long its tokens live.
#[derive(Clone, Debug)]
pub struct Role {
    /// The namespace of the login method; empty for the root.
    pub namespace: String,
    /// `period` or another setting of a token's life, such as `period=300s`.
    pub life: (&'static str, u64),
    /// The policy, in HCL.
    pub policy: String,
}

// === impl OpenBao ===

impl OpenBao {
    /// The program, or `None` if it is not installed. With `CI=true` that is an
    /// error.
    ///
    /// # Errors
    ///
    /// If the program is missing where it must not be.
    pub fn program() -> Result<Option<PathBuf>> {
        peer::program("OpenBao", "KEYSTEAD_BAO", "bao")
    }

    /// Starts a server that keeps everything in memory and talks plain HTTP; `None`
    /// without the program.
    ///
    /// # Errors
    ///
    /// If it does not come up.
    pub async fn development() -> Result<Option<Self>> {
        let Some(program) = Self::program()? else {
            return Ok(None);
        };
        let mut server = Self::new(program, Mode::Development).await?;
        server.start().await?;
        Ok(Some(server))
    }

    /// Starts a server that keeps its data in files, talks TLS and wants client
    /// certificates; set up and unsealed. `None` without the program.
    ///
    /// # Errors
    ///
    /// If it does not come up.
    pub async fn durable() -> Result<Option<Self>> {
        let Some(program) = Self::program()? else {
            return Ok(None);
        };
        let mut server = Self::new(program, Mode::Durable).await?;
        server.start().await?;
        let init = json!({"secret_shares": 1, "secret_threshold": 1});
        let keys = server.request("PUT", "", "sys/init", Some(init)).await?;
        server.root_token = text(&keys, "/root_token")?;
        server.unseal_key = text(&keys, "/keys_base64/0")?;
        server.unseal().await?;
        Ok(Some(server))
    }

    async fn new(program: PathBuf, mode: Mode) -> Result<Self> {
        let authority = Authority::new()?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls(&authority)?)
            .no_proxy()
            .timeout(PATIENCE)
            .build()?;
        Ok(Self {
            program,
            folder: TempDir::new()?,
            authority,
            port: free_port().await?,
            cluster_port: free_port().await?,
            mode,
            process: None,
            client,
            root_token: "root".to_owned(),
            unseal_key: String::new(),
        })
    }

    /// Starts the server on its port with its data.
    ///
    /// # Errors
    ///
    /// If it does not come up.
    pub async fn start(&mut self) -> Result<()> {
        let mut command = Command::new(&self.program);
        match self.mode {
            Mode::Development => {
                command
                    .args(["server", "-dev", "-dev-no-store-token"])
                    .args([
                        format!("-dev-root-token-id={}", self.root_token),
                        format!("-dev-listen-address=127.0.0.1:{}", self.port),
                    ]);
            }
            Mode::Durable => {
                let config = self.folder.path().join("bao.hcl");
                fs::write(&config, self.configuration()?)?;
                command.arg("server").arg("-config").arg(config);
            }
        }
        let log = fs::File::create(self.folder.path().join("log"))?;
        let process = command
            .env_clear()
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        self.process = Some(process);
        let started = Instant::now();
        loop {
            let process = self.process.as_mut().context("not running")?;
            let ended = process.try_wait()?.is_some();
            if self.health().await.is_ok() {
                break;
            }
            if ended || started.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.path().join("log"))?;
                bail!("OpenBao does not come up: {log}");
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }

    fn configuration(&self) -> Result<String> {
        let (certificate, key) = self.authority.server_files()?;
        let data = self.folder.path().join("data");
        fs::create_dir_all(&data)?;
        Ok(format!(
            "storage \"raft\" {{\n\
               path = {data:?}\n\
               node_id = \"one\"\n\
               performance_multiplier = 1\n\
             }}\n\
             api_addr = \"https://127.0.0.1:{0}\"\n\
             cluster_addr = \"https://127.0.0.1:{1}\"\n\
             listener \"tcp\" {{\n\
               address = \"127.0.0.1:{0}\"\n\
               tls_cert_file = {certificate:?}\n\
               tls_key_file = {key:?}\n\
               tls_client_ca_file = {2:?}\n\
               tls_require_and_verify_client_cert = true\n\
             }}\n",
            self.port,
            self.cluster_port,
            self.authority.file(),
        ))
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = match self.mode {
            Mode::Development => "http",
            Mode::Durable => "https",
        };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// Whose certificates it has and accepts.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Seals it.
    ///
    /// # Errors
    ///
    /// If it refuses.
    pub async fn seal(&self) -> Result<()> {
        self.request("PUT", "", "sys/seal", None).await.map(drop)
    }

    /// Unseals it, and waits until it works.
    ///
    /// # Errors
    ///
    /// If it refuses.
    pub async fn unseal(&self) -> Result<()> {
        let key = json!({"key": self.unseal_key});
        self.request("PUT", "", "sys/unseal", Some(key)).await?;
        let started = Instant::now();
        loop {
            let health = self.health().await?;
            let is_off = |state| health.get(state) == Some(&Value::Bool(false));
            if is_off("sealed") && is_off("standby") {
                return Ok(());
            }
            ensure!(
                started.elapsed() < PATIENCE,
                "OpenBao stays sealed: {health}"
            );
            sleep(PAUSE).await;
        }
    }

    /// Kills it.
    ///
    /// # Errors
    ///
    /// If it is not running.
    pub fn kill(&mut self) -> Result<()> {
        let mut process = self.process.take().context("not running")?;
        process.kill()?;
        process.wait()?;
        Ok(())
    }

    /// Stops it, so that it accepts connections and does not answer. When this returns, the
    /// last of its threads has stopped.
    ///
    /// # Errors
    ///
    /// If it is not running.
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)?;
        while !self.is_frozen()? {
            std::thread::yield_now();
        }
        Ok(())
    }

    fn is_frozen(&self) -> Result<bool> {
        let process = self.process.as_ref().context("not running")?;
        for thread in fs::read_dir(format!("/proc/{}/task", process.id()))? {
            let stat = fs::read_to_string(thread?.path().join("stat"))?;
            // The state follows the name, which is in parentheses.
            if !stat
                .rsplit_once(") ")
                .is_some_and(|(_, rest)| rest.starts_with('T'))
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Lets it go on.
    ///
    /// # Errors
    ///
    /// If it is not running.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let process = self.process.as_ref().context("not running")?;
        Ok(kill_process(Pid::from_child(process), signal)?)
    }

    /// Sends a request as root; gives the body of the answer.
    ///
    /// # Errors
    ///
    /// If the answer is none or an error.
    pub async fn request(
        &self,
        method: &str,
        namespace: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value> {
        let mut request = self
            .client
            .request(method.parse()?, format!("{}/v1/{path}", self.url()))
            .header("X-Vault-Token", &self.root_token);
        if !namespace.is_empty() {
            request = request.header("X-Vault-Namespace", namespace);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.text().await?;
        ensure!(status.is_success(), "{path}: {status}: {body}");
        if body.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_str(&body)?)
    }

    async fn health(&self) -> Result<Value> {
        let path = "sys/health?uninitcode=299&sealedcode=299&standbycode=299";
        self.request("GET", "", path, None).await
    }

    /// Makes a namespace and mounts K/V engines of both versions (`kv1`, `kv`) and a
    /// transit engine with the key `kes` in it; the root needs no making.
    ///
    /// # Errors
    ///
    /// If something of that is there already.
    pub async fn mount(&self, namespace: &str) -> Result<()> {
        if !namespace.is_empty() {
            let path = format!("sys/namespaces/{namespace}");
            self.request("PUT", "", &path, Some(json!({}))).await?;
        }
        for (mount, body) in [
            ("kv1", json!({"type": "kv", "options": {"version": "1"}})),
            ("kv", json!({"type": "kv", "options": {"version": "2"}})),
            ("transit", json!({"type": "transit"})),
        ] {
            let path = format!("sys/mounts/{mount}");
            self.request("POST", namespace, &path, Some(body)).await?;
        }
        let key = "transit/keys/kes";
        self.request("POST", namespace, key, Some(json!({})))
            .await?;
        Ok(())
    }

    /// Makes a role for AppRole logins, and the login method if it is not there yet;
    /// gives the role id.
    ///
    /// # Errors
    ///
    /// If OpenBao refuses.
    pub async fn role(&self, name: &str, role: &Role) -> Result<String> {
        let namespace = role.namespace.as_str();
        let mount = Some(json!({"type": "approle"}));
        // It may be there.
        self.request("POST", namespace, "sys/auth/approle", mount)
            .await
            .ok();
        let policy = Some(json!({"policy": role.policy}));
        self.request(
            "PUT",
            namespace,
            &format!("sys/policies/acl/{name}"),
            policy,
        )
        .await?;
        let (setting, seconds) = role.life;
        let body = json!({
            "token_num_uses": 0,
            "secret_id_num_uses": 0,
            setting: seconds,
            "token_policies": [name],
        });
        let path = format!("auth/approle/role/{name}");
        self.request("POST", namespace, &path, Some(body)).await?;
        let id = self
            .request("GET", namespace, &format!("{path}/role-id"), None)
            .await?;
        text(&id, "/data/role_id")
    }

    /// A new secret id of a role.
    ///
    /// # Errors
    ///
    /// If there is no such role.
    pub async fn secret(&self, namespace: &str, name: &str) -> Result<String> {
        let path = format!("auth/approle/role/{name}/secret-id");
        let secret = self
            .request("POST", namespace, &path, Some(json!({})))
            .await?;
        text(&secret, "/data/secret_id")
    }
}

impl Drop for OpenBao {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // It may have ended.
            process.kill().ok();
            process.wait().ok();
        }
    }
}

/// A port that was free a moment ago: most likely nobody else gets it.
async fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    Ok(listener.local_addr()?.port())
}

/// The TLS of an operator.
fn tls(authority: &Authority) -> Result<ClientConfig> {
    let (certificate, key) = authority.client()?;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority.file())?)?;
    let chain = vec![CertificateDer::from_pem_file(certificate)?];
    let provider = Arc::new(aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(key)?)?)
}

fn text(answer: &Value, place: &str) -> Result<String> {
    let text = answer.pointer(place).and_then(Value::as_str);
    text.map(str::to_owned).context("not a text")
}
