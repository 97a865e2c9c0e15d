//! The servers under measurement, as processes.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use keystead_crypto::{Random, SystemRandom};
use keystead_identity::{ApiKey, KmsApiKey, KmsIdentity};
use rustix::param::clock_ticks_per_second;
use tokio::time::{Instant, sleep, timeout};

use crate::calls::Call;
use crate::client::{Client, Protocol};

/// The name of floor servers.
pub(crate) const FLOOR: &str = "floor";

/// The name of etcd.
pub(crate) const ETCD: &str = "etcd";

/// A software HSM key that protects nothing.
const HSM_KEY: &str = "hsm:aes256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A scratch folder with what all servers share: certificate, key, administrator.
pub(crate) struct Site {
    folder: tempfile::TempDir,
    admin: Arc<ApiKey>,
    /// The same key, as MinIO KMS names it.
    root: KmsIdentity,
}

/// A running server; ended when dropped.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    /// From the start of the process to the first answer.
    pub(crate) ready: Duration,
    address: SocketAddr,
    process: Child,
    admin: Arc<ApiKey>,
}

/// What the kernel says about a process.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    /// User and system time of all threads.
    pub(crate) cpu: Duration,
    /// Resident memory in bytes.
    pub(crate) memory: u64,
}

// === impl Site ===

impl Site {
    /// Makes the certificate with `kes`.
    pub(crate) fn new(kes: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let made = Command::new(kes)
            .args([
                "identity",
                "new",
                "--key",
                "server.key",
                "--cert",
                "server.crt",
            ])
            .args(["--ip", "127.0.0.1"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .status()
            .with_context(|| format!("{} does not run", kes.display()))?;
        ensure!(made.success(), "{} makes no certificate", kes.display());
        let mut seed = [0; 32];
        SystemRandom.fill(&mut seed)?;
        Ok(Self {
            folder,
            admin: Arc::new(ApiKey::from_seed(&seed)?),
            root: KmsApiKey::from_seed(&seed)?.identity(),
        })
    }

    /// A folder for a key store.
    pub(crate) fn store(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A KES server on a folder, whose cache keeps every key it has read.
    pub(crate) async fn kes(
        &self,
        name: &'static str,
        binary: &Path,
        store: &Path,
    ) -> Result<Server> {
        let keystore = format!("fs: {{ path: {} }}", store.display());
        self.kes_on(name, binary, &keystore).await
    }

    /// The same on any key store, given as one line of YAML.
    pub(crate) async fn kes_on(
        &self,
        name: &'static str,
        binary: &Path,
        keystore: &str,
    ) -> Result<Server> {
        let address = free_address()?;
        let text = format!(
            "address: {address}\nadmin:\n  identity: {}\ntls:\n  key: server.key\n  cert: server.crt\n\
             cache:\n  expiry:\n    any: 24h\n    unused: 24h\nlog:\n  error: on\n  audit: off\n\
             keystore:\n  {keystore}\n",
            self.admin.identity()
        );
        let file = format!("{name}-{}.yml", address.port());
        fs::write(self.folder.path().join(&file), text)?;
        let mut command = Command::new(binary);
        command.args(["server", "--config", &file]);
        self.start(name, address, command).await
    }

    /// The floor server, with answers of `size` bytes.
    pub(crate) async fn floor(&self, size: usize) -> Result<Server> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args([
                "floor",
                "--certificate",
                "server.crt",
                "--key",
                "server.key",
            ])
            .args([
                "--address",
                &address.to_string(),
                "--size",
                &size.to_string(),
            ]);
        self.start(FLOOR, address, command).await
    }

    /// A MinIO KMS server on a folder, with a software HSM.
    pub(crate) async fn minkms(
        &self,
        name: &'static str,
        binary: &Path,
        store: &Path,
    ) -> Result<Server> {
        let address = free_address()?;
        let text = format!(
            "version: v1\nadmin:\n  identity: {}\ntls:\n  certs:\n  - key: server.key\n    \
             cert: server.crt\nlog:\n  audit: off\n",
            self.root
        );
        let file = format!("{name}-{}.yml", address.port());
        fs::write(self.folder.path().join(&file), text)?;
        let address = address.to_string();
        let mut command = Command::new(binary);
        command
            .args(["server", "--config", &file, "--address", &address])
            .args(["--host", &address])
            .arg(store)
            .env("MINIO_KMS_HSM_KEY", HSM_KEY);
        self.start(name, address.parse()?, command).await
    }

    /// An etcd with one member. It does not ask for client certificates.
    pub(crate) async fn etcd(&self, binary: &Path, store: &Path) -> Result<Server> {
        let address = free_address()?;
        let clients = format!("https://{address}");
        let peers = format!("http://{}", free_address()?);
        let mut command = Command::new(binary);
        command
            .arg("--data-dir")
            .arg(store)
            .args(["--cert-file", "server.crt", "--key-file", "server.key"])
            .args(["--listen-client-urls", &clients])
            .args(["--advertise-client-urls", &clients])
            .args(["--listen-peer-urls", &peers])
            .args(["--initial-advertise-peer-urls", &peers])
            .args(["--initial-cluster", &format!("default={peers}")])
            .args(["--log-level", "error"]);
        self.start(ETCD, address, command).await
    }

    async fn start(
        &self,
        name: &'static str,
        address: SocketAddr,
        mut command: Command,
    ) -> Result<Server> {
        let started = Instant::now();
        let process = command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut server = Server {
            name,
            ready: Duration::ZERO,
            address,
            process,
            admin: Arc::clone(&self.admin),
        };
        let client = server.client(Protocol::Http1)?;
        timeout(Duration::from_secs(120), server.answers(&client))
            .await
            .with_context(|| format!("{name} is not ready after two minutes"))??;
        server.ready = started.elapsed();
        Ok(server)
    }
}

// === impl Server ===

impl Server {
    /// A client with all rights.
    pub(crate) fn client(&self, protocol: Protocol) -> Result<Client> {
        Client::new(self.address, protocol, &self.admin)
    }

    /// Makes one call.
    pub(crate) async fn call(&self, call: &Call) -> Result<bytes::Bytes> {
        let client = self.client(Protocol::Http1)?;
        client.send(&mut client.connect().await?, call).await
    }

    pub(crate) fn usage(&self) -> Result<Usage> {
        let folder = PathBuf::from(format!("/proc/{}", self.process.id()));
        let stat = fs::read_to_string(folder.join("stat"))?;
        // proc(5): fields 14 and 15, counted behind the name in parentheses.
        let (_, fields) = stat
            .rsplit_once(')')
            .context("/proc/PID/stat has no name")?;
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        let status = fs::read_to_string(folder.join("status"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes: u64 = resident
            .and_then(|text| text.split_whitespace().next()?.parse().ok())
            .context("no VmRSS")?;
        Ok(Usage {
            cpu: Duration::from_secs(ticks) / u32::try_from(clock_ticks_per_second())?,
            memory: kilobytes * 1024,
        })
    }

    /// Waits for the first answer, whatever it says.
    async fn answers(&mut self, client: &Client) -> Result<()> {
        loop {
            if let Some(status) = self.process.try_wait()? {
                bail!("{} ended: {status}", self.name);
            }
            if let Ok(mut sender) = client.connect().await {
                client.send(&mut sender, &Call::get("/version")).await?;
                return Ok(());
            }
            sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing can be done about a process that is already gone.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A loopback address that was free a moment ago.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
