use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::{Finished, Process};

/// A folder of its own to run `kes` in, removed at the end.
pub struct Folder {
    path: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Folder {
    /// An empty folder.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn new() -> Result<Self> {
        Ok(Self {
            path: TempDir::new()?,
            variables: Vec::new(),
        })
    }

    /// The path of the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.path.path()
    }

    /// Sets an environment variable for all commands from now on.
    pub fn export(&mut self, name: &'static str, value: impl Into<String>) {
        self.variables.push((name, value.into()));
    }

    /// Writes a file into the folder.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self, name: &str, content: &str) -> Result<()> {
        fs::write(self.path().join(name), content).context("writing a file")
    }

    /// Reads a file in the folder.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(&self, name: &str) -> Result<String> {
        fs::read_to_string(self.path().join(name)).context("reading a file")
    }

    /// The command `line`, split at blanks, with nothing in its environment but what was
    /// exported. Its first word is `kes`.
    ///
    /// # Errors
    ///
    /// If the program cannot be built.
    pub fn command(&self, line: &str) -> Result<Command> {
        let mut words = line.split_whitespace();
        ensure!(words.next() == Some("kes"), "not a kes command: {line}");
        let mut command = Command::new(kes()?);
        command
            .args(words)
            .env_clear()
            .env("HOME", self.path())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.path());
        Ok(command)
    }

    /// Runs the command `line` to its end.
    ///
    /// # Errors
    ///
    /// If it cannot be started or prints something else than text.
    pub fn run(&self, line: &str) -> Result<Finished> {
        Finished::of(self.command(line)?.output()?)
    }

    /// Starts the command `line`.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(&self, line: &str) -> Result<Process> {
        Process::start(self.command(line)?)
    }

    /// Starts the server `line` and waits until it is up. Commands from now on talk to it.
    /// Gives its banner, too.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn serve(&mut self, line: &str) -> Result<(Process, String)> {
        let server = self.start(line)?;
        let banner = server.printed("=> Server is up and running...")?;
        let address = banner.split_once("· ").context("no address")?.1;
        let address = address.lines().next().context("no address")?;
        self.export("KES_SERVER", address);
        Ok((server, banner))
    }
}

/// The `kes` program: the one that `KEYSTEAD_KES` names, or else built in the profile and
/// folder of this test.
fn kes() -> Result<&'static Path> {
    static KES: OnceLock<PathBuf> = OnceLock::new();
    if let Some(kes) = KES.get() {
        return Ok(kes);
    }
    if let Some(kes) = env::var_os("KEYSTEAD_KES") {
        return Ok(KES.get_or_init(|| kes.into()));
    }
    // TARGET/PROFILE/deps/TEST
    let test = env::current_exe()?;
    let profile = test.ancestors().nth(2).context("no profile folder")?;
    let target = profile.parent().context("no target folder")?;
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--quiet", "--package", "kes"])
        .env("CARGO_TARGET_DIR", target)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    if profile.ends_with("release") {
        build.arg("--release");
    }
    ensure!(build.status()?.success(), "kes does not build");
    Ok(KES.get_or_init(|| profile.join("kes")))
}
