use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::peer;

/// How long the server may take to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is asked whether it is up.
const PAUSE: Duration = Duration::from_millis(25);

/// moto looks whether there is a secret and then makes it, on any number of threads. The
/// service makes a secret in one step, and so does moto with this.
const ONE_CREATE_AT_A_TIME: &str = "\
import sys, threading
from moto.secretsmanager.models import SecretsManagerBackend as Backend
from moto.server import main
lock = threading.Lock()
create = Backend.create_secret
def one_at_a_time(*args, **kwargs):
    with lock:
        return create(*args, **kwargs)
Backend.create_secret = one_at_a_time
main(sys.argv[1:])
";

/// A real moto server, which plays services of AWS in memory, killed when it is dropped.
///
/// It checks no signatures and no rights, unless it is [told to](Moto::enforce_rights). The program is found
/// through the environment variable `KEYSTEAD_MOTO`, or where `./dev test` puts it.
pub struct Moto {
    /// The folder of the programs that come with it.
    programs: PathBuf,
    folder: TempDir,
    process: Child,
    url: String,
    client: Client,
}

// === impl Moto ===

impl Moto {
    /// The region that [`Moto::aws`] uses.
    pub const REGION: &str = "us-east-2";

    /// The program, or `None` if it is not installed. With `CI=true` that is an
    /// error.
    ///
    /// # Errors
    ///
    /// If the program is missing where it must not be.
    pub fn program() -> Result<Option<PathBuf>> {
        peer::program("moto", "KEYSTEAD_MOTO", "moto_server")
    }

    /// Starts a server on a port that the system chooses; `None` without the program.
    ///
    /// # Errors
    ///
    /// If it does not come up.
    pub async fn start() -> Result<Option<Self>> {
        let Some(program) = Self::program()? else {
            return Ok(None);
        };
        let program = fs::canonicalize(program)?;
        let programs = program.parent().context("no folder")?.to_owned();
        let folder = TempDir::new()?;
        let log = File::create(folder.path().join("log"))?;
        let process = Command::new(programs.join("python"))
            .args(["-c", ONE_CREATE_AT_A_TIME, "-H", "127.0.0.1", "-p", "0"])
            .env_clear()
            .env("HOME", folder.path())
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut server = Self {
            programs,
            folder,
            process,
            url: String::new(),
            client: client()?,
        };
        server.url = server.until_up().await?;
        Ok(Some(server))
    }

    async fn until_up(&mut self) -> Result<String> {
        let started = Instant::now();
        loop {
            let ended = self.process.try_wait()?.is_some();
            let log = fs::read_to_string(self.folder.path().join("log"))?;
            let url = log.split_once("Running on ").and_then(|(_, rest)| {
                let (url, _) = rest.split_once('\n')?;
                Some(url.trim().to_owned())
            });
            if let Some(url) = url
                && self.client.get(&url).send().await.is_ok()
            {
                return Ok(url);
            }
            if ended || started.elapsed() > PATIENCE {
                bail!("moto does not come up: {log}");
            }
            sleep(PAUSE).await;
        }
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where `aws` and the server's own programs are.
    #[must_use]
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Forgets everything.
    ///
    /// # Errors
    ///
    /// If it does not answer.
    pub async fn reset(&self) -> Result<()> {
        let url = format!("{}/moto-api/reset", self.url);
        self.client.post(url).send().await?.error_for_status()?;
        Ok(())
    }

    /// From now on it checks signatures, and the actions in policies for all resources.
    ///
    /// # Errors
    ///
    /// If it does not answer.
    pub async fn enforce_rights(&self) -> Result<()> {
        let url = format!("{}/moto-api/reset-auth", self.url);
        let request = self.client.post(url).body("0");
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// Runs the vendor's own command line, `aws`, on this server; gives what it prints.
    ///
    /// # Errors
    ///
    /// If it fails.
    pub fn aws(&self, arguments: &[&str]) -> Result<Value> {
        let output = Command::new(self.programs.join("python"))
            .arg(self.programs.join("aws"))
            .args(["--endpoint-url", &self.url, "--region", Self::REGION])
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("AWS_ACCESS_KEY_ID", "operator")
            .env("AWS_SECRET_ACCESS_KEY", "operator")
            .output()?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "aws {arguments:?}: {error}");
        if output.stdout.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Stops it, so that it accepts connections and does not answer.
    ///
    /// # Errors
    ///
    /// If it is not running.
    pub fn freeze(&self) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.process), Signal::STOP)?)
    }

    /// Lets it go on.
    ///
    /// # Errors
    ///
    /// If it is not running.
    pub fn thaw(&self) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.process), Signal::CONT)?)
    }
}

/// For a server without TLS.
fn client() -> Result<Client> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Ok(Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .timeout(PATIENCE)
        .build()?)
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
