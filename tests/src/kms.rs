//! A MinIO KMS server in a folder of its own.

use anyhow::{Context, Result, ensure};

use crate::{Folder, Process};

/// A folder with what a MinIO KMS server and its root need.
pub struct KmsSite {
    /// Where the server runs.
    pub folder: Folder,
    /// The key of the software HSM.
    pub hsm_key: String,
}

// === impl KmsSite ===

impl KmsSite {
    /// Generates the key of a software HSM. Commands are those of the root.
    ///
    /// # Errors
    ///
    /// If a command fails.
    pub fn new() -> Result<Self> {
        let mut folder = Folder::new()?;
        let hsm_key = folder.run("minkms --soft-hsm")?.stdout.trim().to_owned();
        folder.export("MINIO_KMS_HSM_KEY", &hsm_key);
        let root = folder.run(&format!("minkms identity --json {hsm_key}"))?;
        let root = root.stdout.split('"').nth(3).context("no root")?.to_owned();
        folder.export("MINIO_KMS_API_KEY", root);
        Ok(Self { folder, hsm_key })
    }

    /// Starts the server on the folder `data`; commands talk to it.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn start(&mut self) -> Result<Process> {
        self.start_with("data")
    }

    /// Starts the server with these arguments beside its address.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn start_with(&mut self, arguments: &str) -> Result<Process> {
        let line = format!("minkms server {arguments} --address 127.0.0.1:0");
        let (server, _) = self.folder.serve(&line)?;
        Ok(server)
    }

    /// Runs a command that must succeed, with `-k` behind it; gives what it printed.
    ///
    /// # Errors
    ///
    /// If it fails.
    pub fn run(&self, line: &str) -> Result<String> {
        let finished = self.folder.run(&format!("{line} -k"))?;
        ensure!(finished.code == 0, "{line}: {}", finished.stderr);
        Ok(finished.stdout)
    }

    /// Runs a command that must fail, with `-k` behind it; gives what it complained about.
    ///
    /// # Errors
    ///
    /// If it succeeds.
    pub fn refused(&self, line: &str) -> Result<String> {
        let finished = self.folder.run(&format!("{line} -k"))?;
        ensure!(finished.code == 1, "{line}: {}", finished.stdout);
        Ok(finished.stderr)
    }

    /// Starts a server that must not come up; gives what it complained about.
    ///
    /// # Errors
    ///
    /// If it comes to an end without failing.
    pub fn does_not_start(&self, arguments: &str) -> Result<String> {
        let line = format!("minkms server {arguments} --address 127.0.0.1:0");
        let finished = self.folder.run(&line)?;
        ensure!(finished.code == 1, "{line}: {}", finished.stdout);
        Ok(finished.stderr)
    }
}
